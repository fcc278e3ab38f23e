"""Attestations of balances for small books, and every way in which they can be wrong."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.verifier.books import entry_at

Entry = dict[str, Any]
Rows = list[dict[str, Any]]


def rows_of(entries: Sequence[Entry]) -> Rows:
    """Return what must be attested after these entries, added up here independently."""
    sums: dict[tuple[str, str], list[int]] = {}
    for entry in entries:
        for side, name in enumerate((entry["debit"], entry["credit"])):
            if entry["currency"] != "XXX":
                sums.setdefault((entry["currency"], name), [0, 0])[side] += entry["amount"]
    return [
        {"account": name, "currency": currency, "debits": debits, "credits": credits}
        for (currency, name), (debits, credits) in sorted(sums.items())
    ]


def attestation(
    sequence: int, rows: Rows, *, size: int, part: int = 1, parts: int = 1, **fields: Any
) -> Entry:
    """Return one part; `fields` are `accounts`, or of the entry itself."""
    counts = {"size": size, "part": part, "parts": parts}
    counts["accounts"] = fields.pop("accounts", len(rows))
    attested = {f"a{number}": row for number, row in enumerate(rows)}
    note = {
        "operation": "BALANCE_ATTESTATION",
        "amount": 0,
        "currency": "XXX",
        "debit": "genesis",
        "credit": "genesis:end",
        "nonce": f"attestation:{size}:{part}",
        "metadata": {**counts, **attested},
    }
    return entry_at(sequence, **(note | fields))


def attested(entries: Sequence[Entry], change: Callable[[Rows], object] = list) -> list[Entry]:
    """Return a book and its attestation, whose rows were changed in place."""
    size, rows = len(entries), rows_of(entries)
    change(rows)
    return [*entries, attestation(size, rows, size=size)]


def in_parts(entries: Sequence[Entry], *cuts: int) -> list[Entry]:
    """Return a book and its attestation, cut into parts before these rows."""
    size, rows = len(entries), rows_of(entries)
    ends = [*cuts, len(rows)]
    counts = {"size": size, "parts": len(ends), "accounts": len(rows)}
    return [
        *entries,
        *(
            attestation(size + place, rows[start:end], part=place + 1, **counts)
            for place, (start, end) in enumerate(zip([0, *cuts], ends, strict=True))
        ),
    ]


def wrong_rows() -> dict[str, Callable[[Rows], object]]:
    """Return what can be wrong with the rows; a book is needed that names at least two accounts."""
    return {
        "debits": lambda rows: rows[1].update(debits=rows[1]["debits"] + 1),
        "credits": lambda rows: rows[0].update(credits=rows[0]["credits"] - 1),
        "account": lambda rows: rows[1].update(account="held"),
        "currency": lambda rows: rows[0].update(currency="USD"),
        "order": lambda rows: rows.reverse(),
        "left-out": lambda rows: rows.pop(),
        "twice": lambda rows: rows.append(rows[-1]),
        "further": lambda rows: rows.append({**rows[-1], "currency": "ZAR"}),
    }


def wrong_forms(entry: Entry) -> dict[str, Entry]:
    """Return attestations that are none, made from a right one."""
    metadata = entry["metadata"]

    def stating(**changes: Any) -> Entry:
        return {**entry, "metadata": {**metadata, **changes}}

    row = metadata["a0"]
    without = {name: value for name, value in metadata.items() if name != "parts"}
    return {
        "true": stating(part=True),
        "text": stating(size=str(metadata["size"])),
        "part-zero": {**stating(part=0), "nonce": f"attestation:{metadata['size']}:0"},
        "part-of-fewer": stating(parts=0),
        "further-key": stating(b0=row),
        "gap": stating(a9=row),
        "missing-key": {**entry, "metadata": without},
        "empty": {**entry, "metadata": {}},
        "row-text": stating(a0="stripe"),
        "row-true": stating(a0={**row, "debits": True}),
        "row-further-key": stating(a0={**row, "note": 1}),
        "row-missing-key": stating(a0={"account": "stripe", "currency": "EUR", "debits": 1}),
        "moving": {**entry, "currency": "EUR", "debit": "stripe", "credit": "held"},
        "backwards": {**entry, "debit": "genesis:end", "credit": "genesis"},
        "nonce": {**entry, "nonce": "attestation"},
    }
