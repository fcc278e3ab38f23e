"""The short way through plain rows gives the verdicts of the long one, whatever the rows are."""

from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger import line
from ledger.audit_rules import Audit, BookBroken, canonical, plain_line
from tests.ledger.pages import Pages
from tests.ledger.test_line import METADATA

SPENT = {"operation": "CREDIT_SPEND", "debit": "owner:ann", "credit": "issued"}
# What a row may say otherwise than its neighbours, in line and columns.
CHANGES = [
    {"amount": -1},
    {"amount": 0},
    {"amount": 2**53 - 1},
    {"amount": 2**53},
    {"amount": 10**15},
    SPENT,
    {**SPENT, "amount": 100},
    {"book": "public"},
    {"organisation_id": "org_1"},
    {"currency": "EUR"},
    {"currency": "XXX", "amount": 0},
    {"currency": "XXX", "amount": 0, "debit": "genesis", "credit": "genesis:end"},
    {"credit": 'owner:"ann"'},
    {"credit": "owner:Žofie"},
    {"credit": "owner:\\"},
    {"debit": "owner:ann"},
    {"nonce": ""},
    {"nonce": "x" * 256},
    {"nonce": 'a "nonce"'},
    {"nonce": "ž"},
    {"nonce": "\x7f"},
    {"entry_id": "led_1"},
    {"operation": "credit_add"},
    {"operation": "GENESIS"},
    {"operation": "BALANCE_ATTESTATION"},
    {"operation": "CORRECTION", "metadata": {"reverses": 1}},
    {"recorded_at": "2026-11-20T12:00:00Z"},
    {"recorded_at": "2026-11-22T12:00:00Z"},
    {"occurred_at": "2026-02-29T12:00:00Z"},
    {"occurred_at": "infinity"},
    {"occurred_at": ""},
    {"sequence": 7},
    {"prev_entry_hash": "sha256:" + "0" * 64},
    {"prev_entry_hash": None},
    {"version": 2},
    {"metadata": None},
    {"metadata": []},
    {"metadata": {"charge": "ch_1", "donation": "don_1", "a": "100 %s"}},
    {"metadata": {"a": "x", "b": {"c": True, "d": -1}}},
    {"metadata": {"a": {"b": {"c": 1}}}},
    {"metadata": {"A": "x"}},
    {"metadata": {"a": 1.5}},
    {"metadata": {"a": None}},
    {"metadata": {"a": 2**53}},
    {"metadata": {"a": "Café"}},
    {"metadata": {"a": "e\u0301"}},
    {"metadata": {"a": 'a "quote" and a \\'}},
    {"metadata": {"a": "\x7f"}},
    {"metadata": {"a": "\x01"}},
    {"metadata": {"a": "\n"}},
    {"metadata": {"a": "x" * 15_800}},
    {"metadata": {"a": "ž" * 7_950}},
    {"metadata": {"a": "ž" * 15_000}},
]
# What only a column says.
COLUMNS = [
    {name: value}
    for name in ("amount", "credit", "entry_id", "metadata", "nonce", "occurred_at", "operation",
        "organisation_id", "prev_entry_hash", "recorded_at", "sequence")
    for value in (None, "1", "None", "")
] + [
    {"metadata": '{"a": 1.0}'},
    {"metadata": "{" * 50_000},
    {"metadata": '{"a": "b", "a": "b"}'},
    {"occurred_at": "2026-11-21 12:00:00 BC"},
    {"occurred_at": "2026-11-21T12:00:00Z"},
    {"recorded_at": "infinity"},
]  # fmt: skip
# What only the line says, under its right hash: text and what stands there instead.
REWRITES = [
    ('"metadata":{}', '"metadata":None'),
    ('"metadata":{}', '"metadata":'),
    ('"metadata":{}', '"metadata":{ }'),
    ('"amount":10', '"amount":None'),
    ('"amount":10', '"amount":010'),
    ('"occurred_at":"2026-11-21T12:00:00Z"', '"occurred_at":"None"'),
    ('"recorded_at":"2026-11-21T12:00:00Z"', '"recorded_at":"None"'),
    ('"nonce":"', '"nonce":"x","nonce":"'),
    ("}", "} "),
    ("issued", "issued\n"),
    ("issued", "\\u0069ssued"),
]
CHANGED = st.fixed_dictionaries(
    {},
    optional={
        "changes": st.sampled_from(CHANGES) | st.builds(dict, metadata=METADATA),
        "columns": st.sampled_from(COLUMNS),
        "rewrite": st.sampled_from(REWRITES),
        "hash": st.sampled_from([None, "sha256:"]),
    },
)


def row_of(pages, changes=(), columns=(), rewrite=("", ""), hash=""):
    """Return the next row of a book, changed."""
    text, entry_hash, *rest = pages.next(
        lambda text: text.replace(*rewrite, 1), columns, **dict(changes)
    )
    return [text, entry_hash if hash == "" else hash, *rest]


def outcome_of(book, changed):
    """Audit a book whose rows are changed, and return all that the audit knows by then."""
    pages, broken = Pages(book), None
    try:
        for number in range(2 * len(changed)):
            # Every other row is an ordinary one, so that there is a short way to leave.
            change = {} if number % 2 == 0 else changed[number // 2]
            pages.audit.add(row_of(pages, **change))
    except BookBroken as error:
        broken = (str(error), error.sequence, error.verdict)
    audit = pages.audit
    return broken, audit.size, audit.head_hash, audit.previous, audit.recorded_at, audit.sums


def assert_both_ways_agree(book, changed):
    short = outcome_of(book, changed)
    with mock.patch.object(Audit, "_take", return_value=False):
        long = outcome_of(book, changed)

    assert short == long


@given(st.sampled_from(["credits", "public"]), st.lists(CHANGED, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_any_rows_are_judged_alike_both_ways(book, changed):
    assert_both_ways_agree(book, changed)


@pytest.mark.parametrize("book", ["credits", "public"])
@pytest.mark.parametrize(
    "change",
    [
        *({"changes": change} for change in CHANGES),
        *({"columns": column} for column in COLUMNS),
        *({"rewrite": rewrite} for rewrite in REWRITES),
        {"hash": None},
        {"hash": "sha256:"},
        # Where line and column both say the same nonsense.
        {"changes": {"occurred_at": "None"}, "columns": {"occurred_at": None}},
        {"changes": {"nonce": "None"}, "columns": {"nonce": None}},
        {"changes": {"entry_id": "None"}, "columns": {"entry_id": None}},
        {"rewrite": ('"metadata":{}', '"metadata":None'), "columns": {"metadata": None}},
        {"rewrite": ('"amount":10', '"amount":None'), "columns": {"amount": None}},
        {"rewrite": ('"amount":10', '"amount":010'), "columns": {"amount": "010"}},
    ],
    ids=str,
)
def test_one_or_two_changed_rows_are_judged_alike_both_ways(book, change):
    assert_both_ways_agree(book, [change])
    assert_both_ways_agree(book, [change, change])


def test_an_owner_who_spends_too_much_is_found_both_ways():
    assert_both_ways_agree("credits", [{"changes": SPENT}, {"changes": {**SPENT, "amount": 21}}])


@pytest.mark.parametrize("book", ["credits", "public"])
def test_an_amount_of_nothing_is_found_both_ways(book):
    note = {"currency": "XXX", "debit": "genesis", "credit": "genesis:end"}

    assert_both_ways_agree(book, [{"changes": {**note, "amount": 0}}, {"changes": note}])


def test_a_name_that_is_more_than_a_name_is_found_both_ways():
    injected = {"credit": 'owner:ann","currency":"CREDIT'}
    unescaped = {"changes": injected, "rewrite": (r"ann\",\"currency\":\"", 'ann","currency":"')}

    assert_both_ways_agree("credits", [{"changes": injected}, unescaped])


def test_ordinary_rows_are_taken_the_short_way():
    pages = Pages("public")
    pages.add()

    with mock.patch.object(Audit, "_judge", side_effect=AssertionError):
        for _ in range(3):
            pages.add(metadata={"charge": "ch_1", "donation": "don_1", "name": "ž"}, amount=7)

    assert pages.audit.size == 5


@given(METADATA)
@example({"b": "x", "aa": "y"})
def test_metadata_as_postgresql_writes_them_become_those_of_a_line(metadata):
    column = row_of(Pages(), {"metadata": metadata})[8]

    assert canonical(column) == line.encoder.encode(metadata)


def test_a_plain_line_is_made_of_the_columns():
    row = row_of(Pages(), {"metadata": {"a": "b"}})

    assert plain_line(row) == row[0]
