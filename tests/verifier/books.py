"""Small books for the verifiers: written by the `rfc8785` oracle, so not by what is tested."""

import hashlib
from typing import Any

import rfc8785

ORGANISATION = "org_01jfa0000000000000000000aa"


def line_of(entry: dict[str, Any]) -> bytes:
    return rfc8785.dumps(entry)


def hash_of(line: bytes) -> str:
    return "sha256:" + hashlib.sha256(line).hexdigest()


def entry_at(sequence: int, **fields: Any) -> dict[str, Any]:
    """Return one ordinary gift; `fields` say what is different about it."""
    moment = (
        f"2026-11-{1 + sequence // 1440 % 28:02}T{sequence // 60 % 24:02}:{sequence % 60:02}:00Z"
    )
    return {
        "amount": 100 + sequence,
        "book": "public",
        "credit": "fund:general",
        "currency": "EUR",
        "debit": "stripe",
        "entry_id": f"led_{sequence:026}",
        "metadata": {},
        "nonce": f"stripe:acct_1:txn_{sequence}:charge",
        "occurred_at": moment,
        "operation": "DONATION_RECEIVED",
        "organisation_id": ORGANISATION,
        "recorded_at": "2026-11-30T00:00:00Z",
        "sequence": sequence,
        "version": 1,
    } | fields


def genesis(**fields: Any) -> dict[str, Any]:
    return (
        entry_at(
            0,
            amount=0,
            credit="genesis:end",
            currency="XXX",
            debit="genesis",
            metadata={"profile": 1},
            nonce="genesis",
            operation="GENESIS",
            prev_entry_hash=None,
        )
        | fields
    )


def chained(entries: list[dict[str, Any]]) -> list[bytes]:
    """Write the entries as lines; a `prev_entry_hash` that is there already is kept."""
    lines: list[bytes] = []
    for entry in entries:
        previous = {"prev_entry_hash": hash_of(lines[-1])} if lines else {}
        lines.append(line_of(previous | entry))
    return lines


def export_of(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)
