"""What the audit says of a book that is not as it should be, word for word."""

import json

import pytest

from ledger.attested import ROWS_MAX
from ledger.audit_rules import BookBroken, Verdict
from tests.ledger.pages import Pages, row_of
from tests.ledger.pen import GENESIS
from tests.verifier.attesting import attestation, attested, in_parts, rows_of, wrong_rows
from tests.verifier.books import ORGANISATION, chained, entry_at, genesis

TAMPERED, INCOMPLETE = Verdict.TAMPERED, Verdict.INCOMPLETE
OTHER_HASH = "sha256:" + "0" * 64


def broken_by(work):
    """Return what is wrong, where, and the verdict."""
    with pytest.raises(BookBroken) as caught:
        work()
    return str(caught.value), caught.value.sequence, caught.value.verdict


RULES = [
    ({"organisation_id": "org_1"}, "is of another book"),
    ({"book": "credits"}, "is of another book"),
    ({"entry_id": f"led_8{'0' * 25}"}, "has an id that cannot be"),
    ({"entry_id": f"led_{'0' * 27}"}, "has an id that cannot be"),
    ({"operation": "Gift"}, "has an operation that cannot be"),
    ({"operation": "A" * 49}, "has an operation that cannot be"),
    ({"nonce": ""}, "has a nonce that cannot be"),
    ({"nonce": "n" * 256}, "has a nonce that cannot be"),
    ({"recorded_at": "2026-11-21T11:59:59Z"}, "was recorded before its predecessor"),
    ({"operation": "GENESIS"}, "is not the one genesis of its book"),
    ({"amount": -1}, "moves less than nothing"),
    ({"credit": "stripe"}, "has one account on both sides"),
    (
        {"currency": "XXX", "amount": 1, "debit": "genesis", "credit": "genesis:end"},
        "moves an amount without a currency",
    ),
    ({"debit": "ours"}, "names no account: ours in EUR"),
    ({"credit": "fund:" + "a" * 156}, f"names no account: fund:{'a' * 156} in EUR"),
    ({"currency": "EURO"}, "names no account: stripe in EURO"),
]


@pytest.mark.parametrize(("changes", "reason"), RULES)
def test_an_entry_that_cannot_be(changes, reason):
    pages = Pages("public")

    assert broken_by(lambda: pages.add(**changes)) == (f"the entry {reason}", 1, TAMPERED)


@pytest.mark.parametrize(
    "changes",
    [
        {"entry_id": f"led_7{'z' * 25}"},
        {"operation": "A" * 48},
        {"nonce": "n"},
        {"nonce": "n" * 255},
        {"recorded_at": "2026-11-21T12:00:00Z"},
        {"amount": 0},
        {"amount": 2**53 - 1},
        {"credit": "fund:" + "a" * 155},
        {"currency": "XXX", "amount": 0, "debit": "genesis", "credit": "genesis:end"},
    ],
)
def test_an_entry_at_the_edge_of_what_can_be(changes):
    pages = Pages("public")

    pages.add(**changes)

    assert pages.audit.size == 2


def test_a_whole_genesis_stands_at_the_beginning_alone():
    pages = Pages("public")

    told = broken_by(lambda: pages.add(**GENESIS))

    assert told == ("the entry is not the one genesis of its book", 1, TAMPERED)


@pytest.mark.parametrize("name", ["x", "x" * 160, "owner:a", "owner:"])
def test_a_private_book_names_its_accounts_as_it_likes(name):
    pages = Pages()

    pages.add(credit=name)

    assert pages.audit.size == 2


@pytest.mark.parametrize("name", ["", "x" * 161, "genesis", "genesis:end"])
def test_some_names_are_no_accounts_of_a_private_book(name):
    pages = Pages()

    told = broken_by(lambda: pages.add(credit=name))

    assert told == (f"the entry names no account: {name} in CREDIT", 1, TAMPERED)


def test_an_owner_may_spend_everything_and_no_more():
    pages = Pages()
    spend = {"debit": "owner:ann", "credit": "issued", "operation": "CREDIT_SPEND"}
    pages.add(amount=10)
    pages.add(**spend, amount=10)

    told = broken_by(lambda: pages.add(**spend, amount=1))

    assert told == ("the entry spends more than its owner has", 3, TAMPERED)


def test_only_public_books_attest():
    pages = Pages()

    told = broken_by(lambda: pages.add(operation="BALANCE_ATTESTATION"))

    assert told == ("the entry attests the balances of a book that is not public", 1, TAMPERED)


def test_places_in_the_chain():
    pages = Pages("public")
    first = pages.next()
    pages.audit.add(first)
    size = pages.audit.size

    cases = [
        ({"sequence": 5}, ("the entry in its place has the sequence 5", size)),
        (
            {"sequence": 1, "prev_entry_hash": pages.audit.previous},
            ("a second, different entry has its place", 1),
        ),
        (
            {"sequence": 1, "prev_entry_hash": OTHER_HASH},
            ("the entry in its place has the sequence 1", size),
        ),
        ({"prev_entry_hash": OTHER_HASH}, ("the next entry stands on another hash", size - 1)),
    ]
    for changes, (reason, sequence) in cases:
        row = pages.next(**changes)
        assert broken_by(lambda row=row: pages.audit.add(row)) == (reason, sequence, TAMPERED)
    again = broken_by(lambda: pages.audit.add(first))
    assert again == ("the entry in its place has the sequence 1", size, TAMPERED)


def test_the_genesis_stands_on_nothing():
    pages = Pages("public")
    pages.audit.size, pages.audit.head_hash = 0, None

    told = broken_by(lambda: pages.add(prev_entry_hash=OTHER_HASH))

    assert told == ("the next entry stands on another hash", 0, TAMPERED)


def test_hashes_and_columns_beside_the_line():
    pages = Pages("public")
    row = pages.next()

    told = broken_by(lambda: pages.audit.add([row[0], OTHER_HASH, *row[2:]]))
    assert told == ("the hash beside the line is not that of the line", 1, TAMPERED)

    pages = Pages("public")
    changed = pages.next(columns={"amount": "11", "nonce": "other"})
    told = broken_by(lambda: pages.audit.add(changed))
    assert told == ("the line and the columns disagree: amount, nonce", 1, TAMPERED)


STRIPE = ("EUR", "stripe", "place", 10, 0)
FUND = ("EUR", "fund:general", "purpose", 0, 10)


@pytest.mark.parametrize(
    ("accounts", "reason"),
    [
        (
            [("EUR", "stripe", "place", 1234, 5), FUND],
            "the account stripe in EUR says 1,234 − 5, its entries add up to 10 − 0",
        ),
        (
            [("EUR", "stripe", "purpose", 10, 0), FUND],
            "the account stripe in EUR cannot be of the kind purpose",
        ),
        ([], "accounts are missing: fund:general in EUR, stripe in EUR"),
    ],
)
def test_accounts_that_do_not_follow(accounts, reason):
    pages = Pages("public")
    pages.add()

    assert broken_by(lambda: pages.finish(*accounts)) == (reason, None, TAMPERED)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (None, ("the book has no head", None, TAMPERED)),
        ((3, "h"), ("the head counts 3 entries, and there are 2", None, INCOMPLETE)),
        ((1, "h"), ("the head counts only 1 entries", 1, TAMPERED)),
        ((2, "h"), ("the head has another hash than the last entry", 1, TAMPERED)),
    ],
)
def test_heads_that_do_not_follow(head, expected):
    pages = Pages("public")
    pages.add()

    assert broken_by(lambda: pages.audit.finish(head, [STRIPE, FUND])) == expected


def test_a_book_without_entries():
    pages = Pages("public")
    pages.audit.size = 0

    told = broken_by(lambda: pages.audit.finish((0, None), []))

    assert told == ("the head counts 0 entries, and there are 0", None, INCOMPLETE)


BOOK = [genesis(), *(entry_at(number, credit=f"fund:n{number}") for number in (1, 2))]


def audit_of(entries):
    """Audit a public book, written by the oracle."""
    pages = Pages("public")
    pages.audit.organisation, pages.audit.size, pages.audit.head_hash = ORGANISATION, 0, None
    pages.audit.sums.clear()
    for text in chained(list(entries)):
        pages.audit.add(row_of(json.loads(text)))
    return pages.audit


def attesting(size=3, change=list, **fields):
    rows = rows_of(BOOK)
    change(rows)
    return [*BOOK, attestation(len(BOOK), rows, size=size, **fields)]


UNKNOWN = "attests in an unknown form"
WRONG = wrong_rows()


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        (attesting(size=2), "attests 2 entries, and 3 are before it"),
        (attesting(part=2, parts=2), "is part 2 of 2, and part 1 of 2 is due"),
        (attesting(accounts=2), "attests 2 accounts, and the entries name 3"),
        (attesting(accounts=0, change=list.clear), "attests 0 accounts, and the entries name 3"),
        (attesting(change=list.clear), "attests 0 accounts, and the entries name 3"),
        (attesting(accounts=3, change=list.clear), UNKNOWN),
        (
            attested(BOOK, WRONG["debits"]),
            "attests other sums of fund:n2 in EUR than it has",
        ),
        (attested(BOOK, WRONG["account"]), "attests held in EUR, and fund:n2 in EUR is due"),
        (attested(BOOK, WRONG["currency"]), "attests fund:n1 in USD, and fund:n1 in EUR is due"),
        (attesting(accounts=3, change=list.pop), "ends at another account"),
        (
            attesting(accounts=3, change=lambda rows: rows.append(rows[-1])),
            "ends at another account",
        ),
        (in_parts(BOOK, 3), "ends at another account"),
        ([*in_parts(BOOK, 1, 2)[:-1], entry_at(5)], "interrupts the attestation before it"),
    ],
)
def test_attestations_that_are_not_so(entries, reason):
    told = broken_by(lambda: audit_of(entries))

    assert told[0] == f"the entry {reason}"


def test_parts_go_on_from_each_other():
    audit = audit_of(in_parts(BOOK, 1, 2))
    assert (audit.size, audit.series) == (6, None)

    swapped = in_parts(BOOK, 1, 2)
    swapped[4:] = [
        {**swapped[5], "sequence": 4, "entry_id": "led_" + "4" * 26},
        {**swapped[4], "sequence": 5, "entry_id": "led_" + "5" * 26},
    ]
    told = broken_by(lambda: audit_of(swapped))
    assert told == ("the entry is part 3 of 3, and part 2 of 3 is due", 4, TAMPERED)


@pytest.mark.parametrize(("accounts", "parts"), [(ROWS_MAX, 1), (ROWS_MAX + 1, 2)])
def test_a_part_has_up_to_a_hundred_accounts(accounts, parts):
    book = [
        genesis(),
        *(entry_at(number, credit=f"fund:n{number}") for number in range(1, accounts)),
    ]
    cuts = [ROWS_MAX] if parts == 2 else []

    assert audit_of(in_parts(book, *cuts)).size == accounts + parts
    if parts == 2:
        told = broken_by(lambda: audit_of(in_parts(book)))
        assert told[0] == f"the entry {UNKNOWN}"
