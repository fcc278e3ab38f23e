"""Private proofs beside their receipts: what opens a line, and what does not."""

import json
from collections.abc import Iterator
from typing import Any

from ledger.commitments import Detail
from tests.verifier.signed_corpus import Case, book, received
from tests.verifier.signing import receipt_of

DETAILS = [
    Detail("email", "ann@example.org", bytes(range(32))),
    Detail("name", 'Ann "the\\great" Ök 😀', b"\xff" * 32),
]
LINES = book(6, metadata={detail.key: detail.commitment for detail in DETAILS})
RECEIPT = receipt_of(LINES, 2)
ENTRY = json.loads(LINES[2])


def opening(details: Any = None, **changes: Any) -> str:
    """Return the private file of entry 2, with changes."""
    told = [{"field": each.field, "value": each.value, "salt": each.salt.hex()} for each in DETAILS]
    file = {
        "version": "almoner-opening/v1",
        "organisation_id": ENTRY["organisation_id"],
        "book": "public",
        "sequence": 2,
        "details": told if details is None else details,
    }
    return json.dumps({**file, **changes}, ensure_ascii=False)


def detail(**changes: Any) -> dict[str, Any]:
    """Return the first detail, with changes."""
    first = {"field": "email", "value": "ann@example.org", "salt": bytes(range(32)).hex()}
    return {name: value for name, value in (first | changes).items() if value is not None}


def opened() -> Iterator[Case]:
    """Return what opens the line, wholly or in part."""
    good = {
        "both details": opening(),
        "one of two": opening([detail()]),
        "written with white space": json.dumps(json.loads(opening()), indent=2),
        "written with escapes": json.dumps(json.loads(opening())),
    }
    for name, file in good.items():
        yield received(f"opened: {name}", "VALID", RECEIPT, second=file)


def mismatched() -> Iterator[Case]:
    """Return what opens another line, or none."""
    tampered = {
        "another value": opening([detail(value="bob@example.org")]),
        "another salt": opening([detail(salt="00" * 32)]),
        "another field": opening([detail(field="name")]),
        "a field that the line has not": opening([detail(field="phone")]),
        "a field of every object": opening([detail(field="__proto__")]),
        "a value with a surrogate": opening([detail(value="\\ud800")]).replace("\\\\", "\\"),
        "another entry": opening(sequence=3),
        "another organisation": opening(organisation_id="org_x"),
        "another book": opening(book="credits"),
    }
    for name, file in tampered.items():
        yield received(f"opened: {name}", "TAMPERED", RECEIPT, second=file, sequence=2)
    foreign = receipt_of(LINES, 3)
    yield received("opened: a line that commits to nothing", "TAMPERED", foreign,
                   second=opening(sequence=3), sequence=3)  # fmt: skip
    unsigned = RECEIPT.replace("index 2", "index 1")
    yield received("opened: a receipt that is false", "TAMPERED", unsigned,
                   second=opening(), sequence=1)  # fmt: skip


def unreadable() -> Iterator[Case]:
    """Return what is nearly a private proof."""
    malformed = {
        "no JSON": "x",
        "a list": "[]",
        "null": "null",
        "another version": opening(version="almoner-opening/v2"),
        "more than an opening": opening(more=1),
        "no details": opening([]),
        "details of another kind": opening("x"),
        "a detail that is none": opening([None]),
        "a detail with more": opening([detail(more="x")]),
        "a detail without its salt": opening([detail(salt=None)]),
        "a short salt": opening([detail(salt="00")]),
        "a salt in capitals": opening([detail(salt="AB" * 32)]),
        "a value that is no text": opening([detail(value=7)]),
        "a field in capitals": opening([detail(field="Email")]),
        "a field that ends a line": opening([detail(field="email\n")]),
        "NaN": opening(sequence=float("nan")),
    }
    for name, file in malformed.items():
        yield received(f"opened: {name}", "MALFORMED", RECEIPT, second=file)


CASES = [*opened(), *mismatched(), *unreadable()]
