"""What the page about witnesses says: of each one, of the quorum, and the policy as a file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet

from ledger.log import vkey_of
from ledger.models import PUBLIC, HeadsKey, HeadsLog, WitnessAnswer
from ledger.notes import parse_key
from ledger.policy import NONE, Group, Log, Policy, Witness, shown
from ledger.witnessing import witness_policy
from organisations.models import Organisation

State = WitnessAnswer.State
TROUBLES = [State.CONTRADICTED, State.WRONG, State.UNKNOWN]
TROUBLES_SHOWN = 20
# From the worst on: what a witness has said of any log is said of the witness.
WORDS = {
    State.CONTRADICTED: ("bad", "Has seen another ledger"),
    State.SILENT: ("wait", "Silent"),
    State.WRONG: ("wait", "Answers wrongly"),
    State.UNKNOWN: ("wait", "Does not know every log"),
    State.COSIGNED: ("good", "Fresh"),
}
ABOUT = """\
# Whose word counts for the public ledgers of {host} (c2sp.org/tlog-policy).
# A copy from a day on which you had no doubts is worth more than one from today.
"""


class Trouble(NamedTuple):
    """What a witness said of one log; the `vkey` is what it lacks, where it lacks one."""

    organisation: Organisation
    state: str
    problem: str
    vkey: str


class Standing(NamedTuple):
    """How a witness stands: in a word, since when, and what it has signed."""

    witness: Witness
    mood: str
    words: str
    since: datetime | None
    cosigned_at: datetime | None
    logs: int
    troubles: Sequence[Trouble]


def standings() -> list[Standing]:
    """Return how each witness of the policy stands."""
    return [_standing(witness) for witness in witness_policy().witnesses]


def quorum_in_words(policy: Policy) -> Iterator[str]:
    """Return what must have signed, a sentence each for the quorum and for what it is made of."""
    groups = {group.name: group for group in policy.groups}
    if policy.quorum == NONE:
        yield "No witness has to sign: a receipt has the cosignatures that there are."
    elif policy.quorum not in groups:
        yield f"{shown(policy.quorum)} must have signed."
    else:
        waiting = [groups[policy.quorum]]
        for group in waiting:
            if group.name == policy.quorum:
                yield f"{_of(group)} must have signed."
            else:
                yield f"{shown(group.name)} counts as soon as {_of(group)} did."
            waiting += [groups[name] for name in group.members if name in groups]


def policy_file() -> str:
    """Return the policy with the logs of this site, for anyone who verifies or witnesses them."""
    keys = Organisation.objects.public().order_by("pk").values_list("pk", flat=True)
    logs = [Log(parse_key(vkey_of(key)), f"{settings.BASE_URL}/log/{key}") for key in keys]
    for heads in HeadsKey.objects.all():
        logs.append(Log(parse_key(heads.vkey), f"{settings.BASE_URL}/{HeadsLog().path}"))
    about = ABOUT.format(host=settings.LEDGER_HOST)
    return f"{about}{witness_policy()._replace(logs=logs)}"


def _standing(witness: Witness) -> Standing:
    answers = WitnessAnswer.objects.filter(
        book=PUBLIC, organisation__in=Organisation.objects.public(), witness=str(witness.key)
    )
    sums: dict[str, Any] = {
        row["state"]: row
        for row in answers.values("state").annotate(
            first=Min("since"), last=Max("asked_at"), signed=Max("cosigned_at"),
            logs=Count("cosigned_at"),
        )
    }  # fmt: skip
    latest = max(sums, key=lambda state: sums[state]["last"], default=None)
    # A witness that has answered since is not silent, whatever it said.
    found = [state for state in WORDS if state in sums and state in (latest, *TROUBLES)]
    mood, words = WORDS[found[0]] if found else ("wait", "Not asked yet")
    return Standing(
        witness=witness,
        mood=mood,
        words=words,
        since=sums[found[0]]["first"] if found and mood != "good" else None,
        cosigned_at=max((row["signed"] for row in sums.values() if row["signed"]), default=None),
        logs=sum(row["logs"] for row in sums.values()),
        troubles=list(_troubles(answers)),
    )


def _troubles(answers: QuerySet[WitnessAnswer]) -> Iterator[Trouble]:
    rows = answers.filter(state__in=TROUBLES).order_by("state", "since")
    for row in rows.select_related("organisation")[:TROUBLES_SHOWN]:
        vkey = vkey_of(row.organisation_id) if row.state == State.UNKNOWN else ""
        yield Trouble(row.organisation, row.state, row.problem, vkey)


def _of(group: Group) -> str:
    names, count = ", ".join(map(shown, group.members)), len(group.members)
    if count == 1:
        return names
    if group.threshold == count:
        return f"all of {names}"
    return f"at least {group.threshold} of {names}"
