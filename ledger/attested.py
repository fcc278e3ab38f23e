"""
What a public book attests of itself: the sums of all its accounts, in entries of their own. Pure.

An attestation comes in parts 1 to P that follow each other at once. Its `size` is the number of
entries before part 1; its `accounts` are those that an entry has named by then, but for those of
the currency `XXX`, each with all that it was ever debited and credited, ordered by the bytes of
currency and name, up to 100 in a part:

    {"size": N, "part": p, "parts": P, "accounts": K,
     "a0": {"account": "fund:general", "currency": "EUR", "debits": 123, "credits": 456}, "a1": …}
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

OPERATION = "BALANCE_ATTESTATION"
NOTE = ("0", "XXX", "genesis", "genesis:end")
ROWS_MAX = 100
COUNTS = dict.fromkeys(("size", "part", "parts", "accounts"), int)
SUMS = {"account": str, "currency": str, "debits": int, "credits": int}


class Row(NamedTuple):
    """One account, and the sums of its entries."""

    currency: str
    account: str
    debits: int
    credits: int


class Attestation(NamedTuple):
    """What one entry attests."""

    size: int
    part: int
    parts: int
    accounts: int
    rows: list[Row]


class Series(NamedTuple):
    """An attestation that goes on: the part that is due next, and the rows from there on."""

    size: int
    part: int
    parts: int
    accounts: int
    due: list[Row]

    def broken_by(self, stated: Attestation) -> str:
        """Say why the next part cannot be this; empty if it can."""
        if stated.size != self.size:
            return f"attests {stated.size:,} entries, and {self.size:,} are before it"
        if (stated.part, stated.parts) != (self.part, self.parts):
            due = f"part {self.part:,} of {self.parts:,} is due"
            return f"is part {stated.part:,} of {stated.parts:,}, and {due}"
        if stated.accounts != self.accounts:
            return f"attests {stated.accounts:,} accounts, and the entries name {self.accounts:,}"
        for row, ours in zip(stated.rows, self.due, strict=False):
            if row[:2] != ours[:2]:
                due = f"{ours.account} in {ours.currency} is due"
                return f"attests {row.account} in {row.currency}, and {due}"
            if row != ours:
                return f"attests other sums of {ours.account} in {ours.currency} than it has"
        is_last, left = stated.part == stated.parts, len(self.due) - len(stated.rows)
        return "" if (left == 0 if is_last else left > 0) else "ends at another account"

    def after(self, stated: Attestation) -> "Series | None":
        """Return what is due after this part; None after the last."""
        if self.part == self.parts:
            return None
        return self._replace(part=self.part + 1, due=self.due[len(stated.rows) :])


def rows_of(sums: Mapping[tuple[str, str], list[int]]) -> list[Row]:
    """Return what an attestation must say of these sums, by currency and account."""
    return [
        Row(currency, name, *each)
        for (currency, name), each in sorted(sums.items())
        if currency != "XXX"
    ]


def attestation_in(
    metadata: dict[str, Any], nonce: str, move: tuple[str, ...]
) -> Attestation | None:
    """Return what an entry attests that makes this `move`; None if it has not the form of one."""
    counts = dict(metadata)
    rows = [counts.pop(f"a{number}", None) for number in range(len(counts) - len(COUNTS))]
    if _types_in(counts) != COUNTS or any(_types_in(row) != SUMS for row in rows):
        return None
    stated = Attestation(**counts, rows=[Row(**row) for row in rows if row])
    has_form = (
        move == NOTE
        and nonce == f"attestation:{stated.size}:{stated.part}"
        and 1 <= stated.part <= stated.parts
        and min(stated.accounts, 1) <= len(rows) <= ROWS_MAX
    )
    return stated if has_form else None


def _types_in(value: Any) -> dict[str, type]:
    return {name: type(part) for name, part in value.items()} if isinstance(value, dict) else {}
