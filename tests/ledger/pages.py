"""Rows of a book that was never in a database, as the audit reads them from one."""

import json
from typing import Any

from ledger.audit_rules import PARTS, Audit
from tests.ledger.pen import GENESIS, encode, hash_of

ORGANISATION = "org_00000000000000000000000000"


def row_of(fields: dict[str, Any], **columns: Any) -> list[Any]:
    """Return line, hash and columns as PostgreSQL writes them; `columns` are different there."""
    text = encode(fields)
    written = {**fields, "metadata": json.dumps(stored(fields["metadata"]), ensure_ascii=False)}
    for name in ("occurred_at", "recorded_at"):
        written[name] = fields[name].replace("T", " ").removesuffix("Z")
    parts = {name: None if part is None else str(part) for name, part in written.items()}
    return [text, hash_of(text), *({**parts, **columns}[name] for name in PARTS)]


def stored(metadata: Any) -> Any:
    """Return metadata in the order in which jsonb keeps its keys."""
    if not isinstance(metadata, dict):
        return metadata
    keys = sorted(metadata, key=lambda key: (len(key.encode()), key.encode()))
    return {key: stored(metadata[key]) for key in keys}


class Pages:
    """A book and its audit."""

    def __init__(self, book: str = "credits") -> None:
        self.audit = Audit(ORGANISATION, book)
        self.fields: dict[str, Any] = {"book": book}
        if book == "public":
            self.fields |= {"operation": "DONATION_RECEIVED", "currency": "EUR"}
            self.fields |= {"debit": "stripe", "credit": "fund:general"}
        self.head_hash: str | None = None
        self.audit.add(self.next(**GENESIS))

    def next(self, rewrite: Any = str, columns: Any = (), **changes: Any) -> list[Any]:
        """Return the next row, with changes; `rewrite` changes its line, `columns` the rest."""
        fields = {
            "organisation_id": ORGANISATION,
            "sequence": self.audit.size,
            "entry_id": f"led_{self.audit.size:026}",
            "operation": "CREDIT_ADD",
            "amount": 10,
            "currency": "CREDIT",
            "debit": "issued",
            "credit": "owner:ann",
            "nonce": f"nonce-{self.audit.size}",
            "metadata": {},
            "occurred_at": "2026-11-21T12:00:00Z",
            "recorded_at": "2026-11-21T12:00:00Z",
            "prev_entry_hash": self.head_hash,
            "version": 1,
            **self.fields,
            **changes,
        }
        row = row_of(fields, **dict(columns))
        text = rewrite(row[0])
        self.head_hash = hash_of(text)
        return [text, self.head_hash, *row[2:]]

    def add(self, **changes: Any) -> None:
        self.audit.add(self.next(**changes))

    def finish(self, *accounts: Any) -> None:
        genesis = [("XXX", "genesis", "genesis", 0, 0), ("XXX", "genesis:end", "genesis", 0, 0)]
        self.audit.finish((self.audit.size, self.head_hash), [*genesis, *accounts])
