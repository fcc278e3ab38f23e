"""Any book that keeps the rules is VALID; any change to its bytes is noticed, and never crashes."""

import unicodedata
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.verifier.books import chained, entry_at, export_of, genesis, hash_of
from verifier.almoner_verify import Finding, Head, Verification

PLACES = ["stripe", "in_transit", "bank:main", "reserve:vault-1", "onchain:hot"]
PURPOSES = ["fund:general", "fund:winter-shelter", "held", "external", "unclassified"]
TEXT = st.text(
    st.characters(max_codepoint=0x2FFFF, exclude_categories=["Cc", "Cn", "Cs"]), max_size=8
).map(lambda text: unicodedata.normalize("NFC", text))
SCALARS = TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans()
KEYS = st.text("abz019_", min_size=1, max_size=5)
METADATA = st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS, max_size=3), max_size=3)
MOVES = st.tuples(
    st.lists(st.sampled_from(PLACES + PURPOSES), min_size=2, max_size=2, unique=True),
    st.integers(0, 10**12),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    METADATA,
)
BOOKS = st.lists(MOVES, min_size=1, max_size=6)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def lines_of(moves):
    entries = [
        entry_at(
            number, debit=debit, credit=credit, amount=amount, currency=currency, metadata=more
        )
        for number, ((debit, credit), amount, currency, more) in enumerate(moves, 1)
    ]
    return chained([genesis(), *entries])


def verify(content, lines):
    verification = Verification(head=Head(len(lines), hash_of(lines[-1])))
    finding = verification.run(iter(content.splitlines(keepends=True)))
    assert isinstance(finding, Finding)
    return verification, finding


@given(BOOKS)
@QUICK
def test_a_book_that_keeps_the_rules_is_valid_with_its_balances(moves):
    lines = lines_of(moves)
    sums = Counter()
    for (debit, credit), amount, currency, _ in moves:
        sums[debit, currency] += amount if debit in PLACES else -amount
        sums[credit, currency] -= amount if credit in PLACES else -amount

    verification, finding = verify(export_of(lines), lines)

    counted = verification.balances()
    assert finding.verdict == "VALID"
    assert counted["places"] | counted["purposes"] == {
        key: sum_ for key, sum_ in sums.items() if sum_
    }


@given(BOOKS, st.data())
@QUICK
def test_any_changed_byte_is_noticed(moves, data):
    lines = lines_of(moves)
    content = bytearray(export_of(lines))
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))

    _, finding = verify(bytes(content), lines)

    assert finding.verdict != "VALID"


@given(BOOKS, st.data())
@QUICK
def test_lines_swapped_removed_or_doubled_are_noticed_where_they_are(moves, data):
    lines = lines_of(moves)
    first = data.draw(st.integers(0, len(lines) - 2))
    second = data.draw(st.integers(first + 1, len(lines) - 1))
    swapped = [*lines]
    swapped[first], swapped[second] = lines[second], lines[first]

    found = [
        verify(export_of(changed), lines)[1]
        for changed in (
            swapped,
            lines[:first] + lines[first + 1 :],
            [*lines[: first + 1], *lines[first:]],
        )
    ]

    assert [(one.verdict, one.sequence) for one in found] == [
        ("TAMPERED", first),
        ("TAMPERED", first),
        ("TAMPERED", first + 1),
    ]


@given(BOOKS, st.data())
@QUICK
def test_a_cut_is_noticed(moves, data):
    lines = lines_of(moves)
    kept = data.draw(st.integers(0, len(lines) - 1))

    _, finding = verify(export_of(lines[:kept]), lines)

    assert finding.verdict == "INCOMPLETE"


@given(st.binary(max_size=200))
@QUICK
def test_noise_is_never_valid(content):
    assert verify(content, lines_of([]))[1].verdict in ("MALFORMED", "INCOMPLETE")


@given(st.lists(BOOKS, min_size=10, max_size=10), st.data())
@settings(QUICK, max_examples=5)
def test_the_browsers_modules_agree_on_random_books(node_verify, books, data):
    contents = []
    for moves in books:
        content = bytearray(export_of(lines_of(moves)))
        contents.append(bytes(content))
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        contents.append(bytes(content))

    verdicts = node_verify([{"content": content} for content in contents])

    for content, verdict in zip(contents, verdicts, strict=True):
        verification = Verification()
        finding = verification.run(iter(content.splitlines(keepends=True)))
        ours = verification.report(finding)
        names = ("verdict", "first_bad_sequence", "entries", "head_hash", "balances")
        assert [verdict[name] for name in names] == [ours[name] for name in names]
