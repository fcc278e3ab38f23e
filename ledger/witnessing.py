"""How far witnesses vouch for the public logs: what receipts and pages say of it."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from ledger import notes
from ledger.models import PUBLIC, Checkpoint, Cosignature, HeadsCheckpoint
from ledger.policy import Policy, Witness, parse_policy
from ledger.witness_client import url_problem

# How often to look for a checkpoint that enough witnesses cosigned; the first one has them nearly
# always.
STEPS_MAX = 100
LAST_SIZES = """
    SELECT witness.vkey, (
        SELECT max(size) FROM ledger_cosignature AS signed
        WHERE signed.organisation_id = %s AND signed.book = %s
            AND signed.witness = witness.vkey AND signed.size BETWEEN %s AND %s
    ) FROM unnest(%s::text[]) AS witness (vkey)
"""


class Witnessed(NamedTuple):
    """Who of the `asked` witnesses signed the checkpoint of a receipt, and when the last did."""

    signers: Sequence[Witness]
    asked: Sequence[Witness]
    signed_at: datetime | None
    is_met: bool
    needed: int

    @property
    def is_awaited(self) -> bool:
        """Tell whether more witnesses have to sign."""
        return bool(self.asked) and not self.is_met


def witness_policy() -> Policy:
    """
    Return whose word the operator asks for: without a setting, nobody's.

    Raises `PolicyBroken` or `OSError`, of which `manage.py check` tells before. A file that changes
    counts from the next start.
    """
    path = settings.LEDGER_WITNESS_POLICY
    return _read_policy(path) if path else Policy()


def cosigned_note(checkpoint: Checkpoint | HeadsCheckpoint) -> str:
    """Return a checkpoint with the cosignatures that it has, as it is published."""
    if isinstance(checkpoint, HeadsCheckpoint):
        signed = checkpoint.cosignatures.order_by("signed_at", "witness")
        lines = list(signed.values_list("line", flat=True))
    else:
        lines = list(Cosignature.objects.of(checkpoint).values_list("line", flat=True))
    return checkpoint.note + "".join(f"{line}\n" for line in lines)


def checkpoint_for(organisation_id: str, sequence: int) -> Checkpoint | None:
    """
    Return the newest checkpoint of the public book that has an entry and a quorum's cosignatures.

    Where no quorum has signed one, the newest that has the entry; None before there is any.
    """
    newest = Checkpoint.objects.of(organisation_id).first()
    if newest is None or sequence >= newest.size:
        return None
    size = _size_with_quorum(witness_policy(), organisation_id, sequence + 1, newest.size)
    if size in (None, newest.size):
        return newest
    return Checkpoint.objects.of(organisation_id).get(size=size)


def witnessed(checkpoint: Checkpoint) -> Witnessed:
    """Return who has cosigned a checkpoint."""
    policy = witness_policy()
    times = {row.witness: row.signed_at for row in Cosignature.objects.of(checkpoint)}
    keys = [witness.key for witness in policy.witnesses if str(witness.key) in times]
    return Witnessed(
        signers=policy.signers(keys),
        asked=policy.witnesses,
        signed_at=max((times[str(key)] for key in keys), default=None),
        is_met=policy.is_met_by(keys),
        needed=policy.needed,
    )


@lru_cache(1)
def _read_policy(path: str) -> Policy:
    return parse_policy(Path(path).read_bytes(), url_problem=url_problem)


def _size_with_quorum(policy: Policy, organisation_id: str, least: int, most: int) -> int | None:
    # No quorum can have signed together after the last size of one that it needs: from there on
    # down, until its members' last sizes are one size.
    if policy.is_met_by([]):
        return most
    for _ in range(STEPS_MAX):
        last = _last_sizes(policy, organisation_id, least, most)
        reached = {size: [key for key in last if last[key] >= size] for size in last.values()}
        size = max((size for size in reached if policy.is_met_by(reached[size])), default=None)
        if size in (None, most):
            return size
        most = size
    return None


def _last_sizes(
    policy: Policy, organisation_id: str, least: int, most: int
) -> dict[notes.Key, int]:
    by_vkey = {str(witness.key): witness.key for witness in policy.witnesses}
    with connection.cursor() as cursor:
        cursor.execute(LAST_SIZES, [organisation_id, PUBLIC, least, most, list(by_vkey)])
        return {by_vkey[vkey]: size for vkey, size in cursor.fetchall() if size is not None}
