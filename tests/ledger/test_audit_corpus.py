"""
The audit says of every book of the verifiers' corpora what the verifiers say.

Each is put into an unguarded database as somebody with all rights would: the rows as their lines
read, head, sums and tiles recomputed from them, and what was signed both in it and beside it.
"""

import json
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction

from ledger.audit import audit_books
from ledger.models import Book
from ledger.services import sealing
from ledger.services.checkpoints import kept_file
from tests.ledger.pen import ORGANISATION as INSERT_ORGANISATION
from tests.ledger.pen import Row, hash_of
from tests.verifier import corpus
from tests.verifier.books import ORGANISATION, entry_at
from tests.verifier.signed_corpus import CASES, Case
from tests.verifier.signing import VKEY

ORDINARY = {**entry_at(0), "prev_entry_hash": None}
PLAIN = corpus.cases()
# No text of PostgreSQL holds these, and no bigint.
UNSTORABLE = {
    "not-utf-8", "overlong-utf-8", "encoded-surrogate", "null-bytes", "lone-surrogate", "deep",
}  # fmt: skip
# An export ends somewhere, and head and balances are stated beside it; rows have theirs.
OF_FILES = {
    "no-last-line-end", "endless", "good-and-grown", "balance-differs", "balance-on-other-side",
}  # fmt: skip
# The server knows which accounts a private book may have.
OF_OTHERS = {"good-other-book"}
# Whose word a user takes, and how many witnesses must agree, is not for the server to say.
OF_USERS = {"export: the whole chain replaced"}
# The server knows from the first line on that it is another's.
AT_ONCE = {"export: the export of another organisation": 0}
SIGNED = [
    case
    for case in CASES
    if case.kind == "export" and not case.witnesses and case.name not in OF_USERS
]


def row_of(place: int, line: bytes) -> Row:
    """Return the row that holds a line: its columns say what it says, where columns can."""
    text = line.decode()
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = {}
    said = said if isinstance(said, dict) else {}
    columns = {name: said.get(name) for name in ORDINARY if fits(name, said.get(name))}
    row = {**ORDINARY, **columns, "sequence": place, "prev_entry_hash": said.get("prev_entry_hash")}
    return {**row, "line": text, "entry_hash": hash_of(text)}


def fits(name: str, value: Any) -> bool:
    """Tell whether a column can hold a value."""
    if type(value) is not type(ORDINARY[name]):
        return False
    if name in ("occurred_at", "recorded_at"):
        try:
            return bool(datetime.fromisoformat(value))
        except ValueError:
            return False
    return name != "amount" or abs(value) < 2**63


def install(tamper, content: bytes, *, head: dict[str, Any] | None = None) -> Book:
    """Write a book of these lines, with the accounts, and the head unless another is given."""
    lines = content.split(b"\n")[:-1]
    rows = [row_of(place, line) for place, line in enumerate(lines)]
    name = rows[0]["book"] if rows else "public"
    tamper.connection.execute(INSERT_ORGANISATION, [ORGANISATION, "corpus"])
    tamper.connection.execute(
        "INSERT INTO ledger_signingkey VALUES (%s, %s, 'ed25519', '', now())", [ORGANISATION, VKEY]
    )
    tamper.connection.execute(
        "INSERT INTO ledger_book (organisation_id, book) VALUES (%s, %s)", [ORGANISATION, name]
    )
    # Whatever a line says of whose it is, this is the book that it stands in.
    if rows:
        tamper.save([{**row, "organisation_id": ORGANISATION, "book": name} for row in rows])
    tamper.execute(
        "INSERT INTO ledger_account (organisation_id, book, currency, name) "
        f"SELECT DISTINCT '{ORGANISATION}', '{name}', currency, side "
        "FROM ledger_entry, unnest(ARRAY[debit, credit]) AS side WHERE side ~ '^[a-z_]+(:[^:]+)?$'"
    )
    tamper.state_sums()
    if rows:
        tamper.state_head()
    if head:
        tamper.connection.execute(
            "UPDATE ledger_book SET size = %s, head_hash = %s", [head["size"], head["head_hash"]]
        )
    return Book(organisation_id=ORGANISATION, book=name)


def finding() -> tuple[str, int | None]:
    [report] = audit_books()
    return report.verdict.name, report.first_bad_sequence


@pytest.mark.parametrize("name", sorted(PLAIN.keys() - UNSTORABLE - OF_FILES - OF_OTHERS))
def test_a_book_gets_the_verdict_of_the_verifiers(tamper, name):
    case = PLAIN[name]

    install(tamper, case["content"], head=case.get("head"))

    assert finding() == (case["verdict"], case["first_bad_sequence"])


@pytest.mark.parametrize("case", SIGNED, ids=lambda case: case.name)
def test_what_was_signed_gets_the_verdict_of_the_verifiers(tamper, case: Case):
    book = install(tamper, case.first)
    with transaction.atomic():
        log = sealing._locked_log(book)
        sealing._grow(log, case.first.count(b"\n"))
    tamper.connection.execute(
        "INSERT INTO ledger_checkpoint VALUES (%s, 'public', 1, sha256(''), %s, now())",
        [ORGANISATION, case.second],
    )
    kept_file(book).parent.mkdir(parents=True, exist_ok=True)
    kept_file(book).write_text(case.second)

    assert finding() == (case.verdict, AT_ONCE.get(case.name, case.sequence))
