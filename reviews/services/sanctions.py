"""Loading lists, each as a whole, and remembering whom people have ruled out."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from organisations.models import Organisation, User
from reviews.errors import ReasonMissing
from reviews.models.sanctions import ClearedPair, ListedName, SanctionList
from reviews.models.screenings import Screening
from reviews.rules.sanctions import LISTED_NAME, parties_in
from reviews.sanction_lists.errors import ListMalformed, ListRefused
from reviews.sanction_lists.publications import Party
from reviews.sanction_lists.reading import Reading, read_list

BATCH = 2_000
FORCE = "If that is meant, load it with --force."


def load_list(*, source: str, paths: Sequence[Path], is_forced: bool = False) -> SanctionList:
    """
    Put what the files say in the place of a list, all of it or nothing.

    Raises `ListRefused` for files that are malformed, of nobody, older, or of less than half as
    many; the last two may be forced. The list before stays, and notes since when loading fails.
    """
    try:
        reading = read_list(source, paths)
        if not reading.parties:
            raise ListMalformed("There is nobody on the list.")
        return _replace(source, reading, is_forced=is_forced)
    except (ListMalformed, ListRefused, OSError) as error:
        _note_failure(source, str(error))
        told = str(error).rstrip(".")
        raise ListRefused(f"{told}. What was loaded before is still in use.") from error


@transaction.atomic
def _replace(source: str, reading: Reading, *, is_forced: bool) -> SanctionList:
    SanctionList.objects.get_or_create(source=source)
    kept = SanctionList.objects.select_for_update().get(source=source)
    if not is_forced:
        _check_goes_on(kept, reading)
    ListedName.objects.filter(sanction_list=kept).delete()
    ListedName.objects.bulk_create(_names(kept, reading.parties), batch_size=BATCH)
    kept.published_on, kept.sha256 = reading.published_on, reading.sha256
    kept.entries, kept.imported_at = len(reading.parties), timezone.now()
    kept.failing_since, kept.error = None, ""
    kept.save(
        update_fields=[
            "published_on", "sha256", "entries", "imported_at", "failing_since", "error",
        ]
    )  # fmt: skip
    return kept


def _check_goes_on(kept: SanctionList, reading: Reading) -> None:
    if kept.published_on and reading.published_on < kept.published_on:
        days = f"of {reading.published_on}, and the one in use of {kept.published_on}"
        raise ListRefused(f"This list is older: {days}. {FORCE}")
    if 2 * len(reading.parties) < kept.entries:
        parties = f"{len(reading.parties):,} parties, and the one in use {kept.entries:,}"
        raise ListRefused(f"This list has {parties}: more than half are gone. {FORCE}")


def _names(kept: SanctionList, parties: Iterable[Party]) -> Iterator[ListedName]:
    for party in parties:
        for name, is_weak in party.names.items():
            yield ListedName(
                sanction_list=kept,
                uid=party.uid,
                kind=party.kind,
                name=name,
                is_weak=is_weak,
                programme=party.programme,
            )


@transaction.atomic
def _note_failure(source: str, error: str) -> None:
    SanctionList.objects.get_or_create(source=source)
    kept = SanctionList.objects.select_for_update().get(source=source)
    kept.failing_since = kept.failing_since or timezone.now()
    kept.error = error
    kept.save(update_fields=["failing_since", "error"])


def clear_pair(*, name: str, source: str, uid: str, by: User, reason: str) -> ClearedPair:
    """
    Remember that who gives under this name is not this party of a list.

    The same again returns what is remembered. Raises `ReasonMissing`.
    """
    if not reason.strip():
        raise ReasonMissing("Say why: clearing a name needs a reason.")
    pair, _ = ClearedPair.objects.get_or_create(
        name_key=ClearedPair.key_of(name),
        source=source,
        uid=uid,
        defaults={"cleared_by": by, "reason": reason.strip()},
    )
    return pair


def shown_parties(organisation: Organisation, subject: str) -> set[tuple[str, str]]:
    """Return which listed parties, by source and uid, a subject's screenings have shown."""
    found = Screening.objects.filter(organisation=organisation, subject=subject)
    return {
        party
        for screening in found.filter(hits__contains=[LISTED_NAME.name])
        for result in screening.results
        if result["rule"] == LISTED_NAME.name
        for party in parties_in(result["evidence"])
    }
