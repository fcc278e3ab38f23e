"""The short way through plain lines gives the verdicts of the long one, whatever the lines are."""

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.books import chained, entry_at, export_of, genesis, hash_of, line_of
from tests.verifier.corpus import METADATA, REPLACED
from tests.verifier.test_books import METADATA as ANY_METADATA
from tests.verifier.test_books import QUICK
from verifier import almoner_verify
from verifier.almoner_verify import PLAIN_LINE, Book, Malformed, Verification, read_line

LONG = "n" * 65
# What an entry may say otherwise than its neighbours: some of it right, most of it wrong.
CHANGES = [
    {"amount": -1},
    {"amount": 2**53 - 1},
    {"amount": 2**53},
    {"amount": 10**15},
    {"book": "credits"},
    {"organisation_id": "org_other"},
    {"currency": "XXX"},
    {"currency": "XXX", "amount": 0, "debit": "genesis", "credit": "genesis:end"},
    {"currency": "JPY"},
    {"debit": "fund:general"},
    {"debit": "ours"},
    {"debit": "in_transit"},
    {"nonce": "again"},
    {"nonce": LONG},
    {"nonce": ""},
    {"nonce": 'a "quote"'},
    {"nonce": "ž"},
    {"entry_id": "led_again"},
    {"entry_id": "led_" + LONG},
    {"operation": "CORRECTION", "metadata": {"reverses": 1}},
    {"operation": "CORRECTION", "metadata": {"reverses": 1}, "debit": "fund:general",
     "credit": "stripe", "amount": 101},
    {"operation": "GENESIS"},
    {"operation": "BALANCE_ATTESTATION"},
    {"operation": "KEY_ROTATION"},
    {"recorded_at": "2026-11-29T23:59:59Z"},
    {"recorded_at": "2026-12-01T00:00:00Z"},
    {"recorded_at": "2026-11-31T00:00:00Z"},
    {"occurred_at": "2026-02-29T00:00:00Z"},
    {"occurred_at": "0000-01-01T00:00:00Z"},
    {"occurred_at": "2026-11-01T23:59:59Z"},
    {"sequence": 7},
    {"prev_entry_hash": "sha256:" + "0" * 64},
    {"version": 2},
    {"metadata": METADATA},
    {"metadata": {"charge": "ch_1", "donation": "don_1"}},
    {"metadata": {"nonce": "x", "a": {"b": 1}}},
    {"metadata": {"a": {"b": {"c": 1}}}},
    {"metadata": {"A": "x"}},
    {"metadata": {"a": [1]}},
    {"metadata": {"filling": "x" * 16_000}},
]  # fmt: skip
REPLACEMENTS = [
    *REPLACED.values(),
    (b'"metadata":{}', b'"metadata":{"b":"1","a":"2"}'),
    (b'"metadata":{}', b'"metadata":{"a":"1","a":"2"}'),
    (b'"metadata":{}', b'"metadata":{"a":"1",}'),
    (b'"metadata":{}', b'"metadata":{"a":"1""b":"2"}'),
    (b'"metadata":{}', b'"metadata":{"a":1,"b":"2",}'),
    (b'"metadata":{}', b'"metadata":{"a":"1"},"nonce":"x"'),
    (b'"metadata":{}', b'"metadata":{:}'),
    (b'"metadata":{}', b'"metadata":{"b":1,"a":2}'),
    (b'"metadata":{}', b'"metadata":{"a":1,"a":2}'),
    (b'"metadata":{}', b'"metadata":{"a": 1}'),
    (b'"credit":', b'"credit":"held","credit":'),
]
ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["stripe", "bank:main"]),
        st.just({}) | st.sampled_from(CHANGES) | st.builds(dict, metadata=ANY_METADATA),
    ),
    min_size=1,
    max_size=12,
)
MUTATIONS = (
    st.none() | st.sampled_from(REPLACEMENTS) | st.tuples(st.integers(0, 700), st.integers(0, 255))
)


def mutated(line, mutation):
    """Return a line with other bytes in it."""
    match mutation:
        case (int(place), int(byte)):
            return line[: place % len(line)] + bytes([byte]) + line[place % len(line) + 1 :]
        case (bytes(old), bytes(new)):
            return line.replace(old, new, 1)
    return line


def lines_of(changes, place, mutation):
    """Write a book whose chain is right, whatever else is wrong with it."""
    lines = chained([genesis()])
    for sequence, (debit, fields) in enumerate(changes, 1):
        previous = {"prev_entry_hash": hash_of(lines[-1])}
        entry = entry_at(sequence, amount=100 + sequence, debit=debit) | previous | fields
        line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        lines.append(mutated(line, mutation if sequence == place else None))
    return [line.replace(b"\n", b"") for line in lines]


def verdict_of(blocks):
    verification = Verification()
    finding = verification.run(blocks)
    return finding.reason, verification.report(finding)


def one_by_one(book, lines):
    for line in lines:
        book.add(line)


def assert_both_ways_agree(blocks):
    at_once = verdict_of(blocks)
    with mock.patch.object(almoner_verify, "add_lines", one_by_one):
        each = verdict_of(blocks)

    assert at_once == each


@given(ENTRIES, st.integers(1, 12), MUTATIONS, st.integers(1, 12))
@settings(QUICK, max_examples=500)
def test_lines_at_once_get_the_verdict_that_they_get_one_by_one(changes, place, mutation, cut):
    lines = lines_of(changes, place, mutation)

    assert_both_ways_agree([export_of(lines[:cut]), export_of(lines[cut:])])


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_one_or_two_changed_lines_are_judged_alike_both_ways(change):
    plain = ("stripe", {})

    for changes in ([plain, ("stripe", change), plain], [("stripe", change)] * 2):
        assert_both_ways_agree([export_of(lines_of(changes, 0, None))])


@pytest.mark.parametrize("replacement", REPLACEMENTS, ids=str)
def test_other_bytes_in_a_line_are_judged_alike_both_ways(replacement):
    lines = lines_of([("stripe", {})] * 3, 2, replacement)

    assert_both_ways_agree([export_of(lines)])


def test_sums_out_of_range_are_judged_alike_both_ways():
    lines = lines_of([("stripe", {"amount": 10**15 - 1})] * 12, 0, None)

    assert_both_ways_agree([export_of(lines)])


@pytest.mark.parametrize("change", [{"nonce": "again"}, {"entry_id": "led_again"}], ids=str)
def test_names_of_an_earlier_block_are_judged_alike_both_ways(change):
    lines = lines_of([("stripe", change)] * 2, 0, None)

    assert_both_ways_agree([export_of(lines[:2]), export_of(lines[2:])])


@given(ENTRIES, st.integers(1, 12), MUTATIONS)
@QUICK
def test_a_plain_line_has_the_parts_that_the_long_way_reads(changes, place, mutation):
    for line in lines_of(changes, place, mutation):
        match = PLAIN_LINE.fullmatch(line)
        if not (match and almoner_verify.is_plain(line) and almoner_verify.is_metadata(match[5])):
            continue
        try:
            entry = read_line(line)
        except Malformed as error:
            # What the run as a whole is asked for: real days, true links, no line too long.
            assert any(words in str(error) for words in ("UTC time", "SHA-256", "longer"))
            continue
        assert (int(match[1]), int(match[11])) == (entry.amount, entry.sequence)
        assert almoner_verify.route_in(match[3]) == almoner_verify.route_of(entry)
        assert json.loads(match[5]) == entry.metadata
        assert (match[2].decode(), match[4].decode()) == (entry.book, entry.entry_id)
        assert [part.decode() for part in match.groups()[5:10]] == [
            entry.nonce, entry.occurred_at[:10], entry.organisation_id, entry.prev_entry_hash[7:],
            entry.recorded_at,
        ]  # fmt: skip


def test_ordinary_lines_never_take_the_long_way():
    entries = [entry_at(number, metadata={"charge": "ch_1"}) for number in range(1, 400)]
    content = export_of(chained([genesis(), *entries]))

    with mock.patch.object(Book, "add", autospec=True, side_effect=Book.add) as add:
        finding = Verification().run([content])

    assert finding.verdict == "VALID"
    assert add.call_count == 1


@given(st.lists(st.tuples(ENTRIES, st.integers(1, 12), MUTATIONS), min_size=20, max_size=20))
@settings(QUICK, max_examples=5)
def test_the_short_way_in_the_browser_reads_what_the_long_way_reads(node_lines, books):
    lines = [line for book in books for line in lines_of(*book)]

    assert node_lines(lines) == []


def test_the_browser_reads_ordinary_lines_the_short_way(node_lines):
    lines = [line_of(entry_at(1, prev_entry_hash=hash_of(b""), metadata={"charge": "ch_1"}))]

    assert node_lines(lines, "--plain") == []
