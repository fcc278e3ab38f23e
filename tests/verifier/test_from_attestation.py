"""An export that begins at an attestation is verified from there, and says what it rests on."""

import json

import pytest

from tests.verifier.attesting import attestation, attested, in_parts, rows_of, wrong_rows
from tests.verifier.books import chained, entry_at, export_of, hash_of
from tests.verifier.corpus import BALANCES, book, head_of
from tests.verifier.rotation_corpus import SECOND, THIRD
from tests.verifier.signing import LOG, rotating
from verifier.almoner_verify import EXIT_CODES, main

PARTS = in_parts(book(), 2, 4)
CORRECTION = {
    "operation": "CORRECTION",
    "metadata": {"reverses": 2},
    "amount": 175,
    "debit": "stripe",
    "credit": "fund:winter-shelter",
}
LINES = chained([*PARTS, entry_at(9), entry_at(10)])


@pytest.fixture
def verify(tmp_path, capsys):
    """Verify the lines of a book from one on; return the verdict, or what is said in words."""

    def run(lines, *options, head=None):
        export = tmp_path / "export.ndjson"
        export.write_bytes(lines if isinstance(lines, bytes) else export_of(lines))
        arguments = ["export", str(export), "--from-attestation", *options]
        for name, document in {"head": head, "balances": head and BALANCES}.items():
            if document:
                (tmp_path / name).write_text(json.dumps(document))
                arguments += [f"--{name}", str(tmp_path / name)]
        code = main(arguments)
        told = capsys.readouterr().out
        if "--json" not in options:
            return told
        verdict = json.loads(told)
        assert code == EXIT_CODES[verdict["verdict"]]
        return verdict

    return run


def named(verdict):
    return verdict["verdict"], verdict["first_bad_sequence"]


def test_a_book_is_verified_from_an_attestation_on(verify):
    verdict = verify(LINES[6:], "--json")

    assert named(verdict) == ("VALID", None)
    assert (verdict["entries"], verdict["head_hash"]) == (5, hash_of(LINES[-1]))
    assert verdict["trusted"] == {"entries": 6, "head_hash": hash_of(LINES[5])}
    assert {
        (row["account"], row["currency"], row["amount"]) for row in verdict["balances"]["places"]
    } == {
        ("bank:main", "EUR", 4000),
        ("stripe", "EUR", 825 + 109 + 110),
        ("stripe", "JPY", 1050),
    }


def test_the_words_say_what_it_rests_on(verify):
    told = verify(chained([*PARTS, entry_at(9, **CORRECTION)])[6:])

    assert told.startswith("VALID from entry 6 on\nEntries that agree: 4.\n")
    assert f"the last of which has the hash {hash_of(LINES[5])}" in told
    assert "1 entries of theirs that were reversed were not compared" in told


def test_head_and_balances_are_compared_at_the_head(verify):
    verdict = verify(LINES[6:], "--json", head=head_of(LINES[:9]))

    assert named(verdict) == ("VALID", None)


def test_a_head_before_the_beginning_is_not_reached(verify):
    verdict = verify(LINES[6:], "--json", head=head_of(LINES[:6]))

    assert named(verdict) == ("INCOMPLETE", None)


def test_a_whole_book_needs_no_trust(verify):
    verdict = verify(LINES, "--json")

    assert named(verdict) == ("VALID", None)
    assert "trusted" not in verdict
    assert verify(LINES).startswith("VALID\n")


@pytest.mark.parametrize("start", [1, 5, 7, 8, 9, 10])
def test_another_beginning_is_none(verify, start):
    assert named(verify(LINES[start:], "--json")) == ("INCOMPLETE", None)


@pytest.mark.parametrize("stop", [7, 8])
def test_an_attestation_that_is_cut_off_is_no_beginning(verify, stop):
    assert named(verify(LINES[6:stop], "--json")) == ("INCOMPLETE", None)


def test_nothing_is_incomplete_and_noise_malformed(verify):
    assert named(verify(b"", "--json")) == ("INCOMPLETE", None)
    assert named(verify(b"{}\n", "--json")) == ("MALFORMED", 0)


def test_without_the_option_the_beginning_is_missing(tmp_path, capsys):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(LINES[6:]))

    assert main(["export", str(export)]) == EXIT_CODES["TAMPERED"]


@pytest.mark.parametrize(
    "change",
    [
        wrong_rows()["order"],
        wrong_rows()["twice"],
        wrong_rows()["debits"],
        lambda rows: rows[0].update(debits=-1),
        lambda rows: rows[0].update(credits=-1),
        lambda rows: rows[0].update(account="ours"),
        lambda rows: rows[0].update(currency="XXX"),
    ],
    ids=["order", "twice", "debits", "minus-debits", "minus-credits", "account", "nothing"],
)
def test_sums_that_cannot_be_are_no_beginning(verify, change):
    lines = chained(attested(book(), change))

    assert named(verify(lines[6:], "--json")) == ("TAMPERED", 6)


def test_accounts_that_are_not_all_there_are_no_beginning(verify):
    rows = rows_of(book())
    lines = chained([*book(), attestation(6, rows, size=6, accounts=7)])

    assert named(verify(lines[6:], "--json")) == ("TAMPERED", 6)


@pytest.mark.parametrize(
    ("entry", "place"),
    [
        (entry_at(7), 6),
        ({**PARTS[6], "sequence": 7, "nonce": "attestation:7:1"}, 6),
        ({**PARTS[7], "metadata": {}}, 6),
        ({**PARTS[7], "sequence": 9}, 7),
        ({**PARTS[7], "prev_entry_hash": "sha256:" + "0" * 64}, 6),
    ],
)
def test_what_breaks_the_attestation_is_found(verify, entry, place):
    lines = chained([*PARTS[:7], entry, PARTS[8]])

    assert named(verify(lines[6:], "--json")) == ("TAMPERED", place)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"amount": 1, "currency": "XXX"}, 9),
        ({"operation": "GENESIS"}, 9),
        ({"nonce": "attestation:6:1"}, 9),
        (CORRECTION | {"metadata": {"reverses": 0}}, 9),
        (CORRECTION | {"metadata": {"reverses": 6}}, 9),
        (CORRECTION | {"metadata": {"reverses": 12}}, 9),
    ],
)
def test_what_follows_is_judged_as_ever(verify, fields, place):
    lines = chained([*PARTS, entry_at(9, **fields), entry_at(10)])

    assert named(verify(lines[6:], "--json")) == ("TAMPERED", place)


def test_an_entry_before_the_beginning_is_reversed_once(verify):
    lines = chained([*PARTS, *(entry_at(number, **CORRECTION) for number in (9, 10))])

    assert named(verify(lines[6:10], "--json")) == ("VALID", None)
    assert named(verify(lines[6:], "--json")) == ("TAMPERED", 10)


def test_a_private_book_attests_nothing(verify):
    lines = chained([{**entry, "book": "credits"} for entry in PARTS])

    assert named(verify(lines[6:], "--json")) == ("TAMPERED", 6)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (rotating(SECOND, THIRD, SECOND), ("VALID", None)),
        (rotating(SECOND, LOG, SECOND), ("TAMPERED", 11)),
        (rotating(LOG, THIRD, LOG), ("TAMPERED", 11)),
        (rotating(SECOND, THIRD, LOG), ("TAMPERED", 11)),
    ],
)
def test_keys_are_followed_from_the_first_that_is_named(verify, second, expected):
    changes = [entry_at(10, **rotating(LOG, SECOND, LOG)), entry_at(11, **second)]
    lines = chained([*PARTS, entry_at(9), *changes])

    assert named(verify(lines[6:], "--json")) == expected
