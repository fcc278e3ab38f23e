"""
Screening one name against the lists of sanctions: what is alike, why, and which lists were used.

It decides nothing: a hit is for a person to look at, and nobody is refused for a name. A list that
is missing or too old is an error, which is not the same as finding nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Literal, NamedTuple

from django.conf import settings

from reviews.letters import words_of
from reviews.models.sanctions import ClearedPair, ListedName, SanctionList
from reviews.name_index import NameIndex
from reviews.names import WORDS_NEEDED
from reviews.words import name_of, strong_in
from reviews.yente import YenteAnswer

Kind = Literal["person", "organisation", "any"]
Outcome = Literal["pass", "hit", "error", "not_run"]
KINDS: Mapping[str, frozenset[str]] = {
    "person": frozenset({ListedName.Kind.PERSON}),
    "organisation": frozenset({ListedName.Kind.ORGANISATION, ListedName.Kind.THING}),
    "any": frozenset(ListedName.Kind.values),
}
MATCHES_MAX = 20


@dataclass(frozen=True, slots=True)
class SanctionsMatch:
    """Somebody listed whose name is alike; `list` is one of the sources, or YENTE."""

    list: str
    uid: str
    name: str
    score: int
    explanation: str
    is_cleared: bool


@dataclass(frozen=True, slots=True)
class ListVersion:
    """Which version of a list was used."""

    list: str
    published_on: date
    imported_at: datetime
    sha256: str


@dataclass(frozen=True, slots=True)
class SanctionsResult:
    """
    What came of screening a name; `score` is the best one that nobody has cleared, or 0.

    `problems` say in sentences what was not available, also beside a hit.
    """

    outcome: Outcome
    score: int = 0
    matches: tuple[SanctionsMatch, ...] = ()
    lists: tuple[ListVersion, ...] = ()
    problems: tuple[str, ...] = ()


class _Listed(NamedTuple):
    source: str
    uid: str
    kind: str
    name: str


class _Loaded:
    """The index of this process: made anew when a list was loaded since."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions: tuple[ListVersion, ...] = ()
        self._index: NameIndex[_Listed] = NameIndex([])

    def index(self, versions: tuple[ListVersion, ...]) -> NameIndex[_Listed]:
        with self._lock:
            if versions != self._versions:
                self._index = NameIndex(_names([version.list for version in versions]))
                self._versions = versions
            return self._index


_loaded = _Loaded()


def screen_name(
    name: str, *, kind: Kind = "any", asked: YenteAnswer | None = None
) -> SanctionsResult:
    """
    Return whom a name is like on the configured lists, and in what yente answered.

    Without a name or any list, it was not run. Where a yente is set, ask it before (`ask_yente`),
    outside of any transaction: a name that it was not asked about is an error.
    """
    if not words_of(name) or not (settings.SANCTION_LISTS or settings.YENTE_URL):
        return SanctionsResult("not_run")
    versions, problems = _versions()
    if settings.YENTE_URL:
        answer = asked or YenteAnswer(problem="yente was not asked.")
        problems += [answer.problem] if answer.problem else []
    cleared = _cleared(name)
    matches = [*_on_lists(name, kind, versions, cleared), *_by_yente(asked, cleared)]
    matches.sort(key=lambda match: (match.is_cleared, -match.score))
    score = max((match.score for match in matches if not match.is_cleared), default=0)
    outcome: Outcome = "hit" if score else "error" if problems else "pass"
    return SanctionsResult(outcome, score, tuple(matches[:MATCHES_MAX]), versions, tuple(problems))


def _versions() -> tuple[tuple[ListVersion, ...], list[str]]:
    """Return the lists that can be used, and a sentence for each that is missing or too old."""
    known = SanctionList.objects.in_bulk(settings.SANCTION_LISTS)
    versions, problems = [], []
    for source in settings.SANCTION_LISTS:
        kept = known.get(source)
        if not (kept and kept.imported_at and kept.published_on):
            problems.append(f"The list {source} was never loaded (manage.py load_sanctions).")
            continue
        versions.append(ListVersion(source, kept.published_on, kept.imported_at, kept.sha256))
        if kept.is_too_old:
            day = f"{kept.imported_at:%Y-%m-%d}"
            problems.append(
                f"The list {source} was last loaded on {day}, more than "
                f"{settings.SANCTIONS_MAX_AGE_DAYS} days ago (manage.py load_sanctions)."
            )
    return tuple(versions), problems


def _names(sources: Sequence[str]) -> list[tuple[str, _Listed]]:
    rows = ListedName.objects.filter(sanction_list__in=sources).values_list(
        "sanction_list_id", "uid", "kind", "name", "is_weak"
    )
    # A weak alias of one word, «Hamza», is like too many people to tell any of them apart.
    return [
        (name, _Listed(source, uid, kind, name))
        for source, uid, kind, name, is_weak in rows.iterator()
        if not (is_weak and strong_in(name_of(name)) < WORDS_NEEDED)
    ]


def _cleared(name: str) -> set[tuple[str, str]]:
    pairs = ClearedPair.objects.filter(name_key=ClearedPair.key_of(name))
    return set(pairs.values_list("source", "uid"))


def _on_lists(
    name: str, kind: Kind, versions: tuple[ListVersion, ...], cleared: set[tuple[str, str]]
) -> list[SanctionsMatch]:
    """Return the parties that are alike, each with the name that is most alike."""
    best: dict[tuple[str, str], SanctionsMatch] = {}
    for listed, match in _loaded.index(versions).find(name):
        party = (listed.source, listed.uid)
        if listed.kind in KINDS[kind] and party not in best:
            best[party] = SanctionsMatch(
                *party, listed.name, match.score, match.explanation, party in cleared
            )
    return list(best.values())


def _by_yente(asked: YenteAnswer | None, cleared: set[tuple[str, str]]) -> list[SanctionsMatch]:
    return [
        SanctionsMatch(
            ClearedPair.YENTE,
            match.uid,
            match.name,
            match.score,
            f"yente finds it in {', '.join(match.datasets) or 'its data'}",
            (ClearedPair.YENTE, match.uid) in cleared,
        )
        for match in (asked.matches if asked else ())
    ]
