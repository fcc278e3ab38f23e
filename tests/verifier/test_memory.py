"""The command remembers what was good: contradicted, it is a fork; behind it, stale."""

import hashlib
import json
import os
import pwd

import pytest

from tests.verifier.books import export_of
from tests.verifier.corpus import head_of
from tests.verifier.signed_corpus import LINES, NOTE, OTHER_BOOK, book
from tests.verifier.signing import ORIGIN, VKEY, body_of, note_of, receipt_of
from tests.verifier.test_log import write_log
from verifier.almoner_verify import EXIT_CODES, main

NAME = f"{hashlib.sha256(ORIGIN.encode()).hexdigest()}.note"
FORK = note_of(body_of(OTHER_BOOK))
SMALL = note_of(body_of(LINES[:4]))
GROWN = book(9)


@pytest.fixture
def kept(state_home):
    """Where the command keeps the note of the log by itself."""
    return state_home / "almoner-verify" / NAME


@pytest.fixture
def judge(tmp_path, capsys):
    """Verify a book beside a note; return the verdict, and what is said on standard error."""

    def run(lines, note, *words):
        (tmp_path / "export").write_bytes(export_of(lines))
        (tmp_path / "note").write_text(note)
        words = ["export", tmp_path / "export", "--checkpoint", tmp_path / "note", *words]
        return told(capsys, *words)

    return run


def told(capsys, *words):
    code = main([*map(str, words), "--json"])
    printed = capsys.readouterr()
    verdict = json.loads(printed.out)["verdict"]
    assert code == EXIT_CODES[verdict]
    return verdict, printed.err


def received(folder, lines, place, capsys, *words):
    (folder / "receipt").write_text(receipt_of(lines, place))
    return told(capsys, "receipt", folder / "receipt", "--key", VKEY, *words)


def test_a_book_goes_on_from_what_was_good(judge, kept):
    assert judge(LINES, SMALL) == ("VALID", "")
    assert kept.read_text() == SMALL
    assert judge(LINES, NOTE) == ("VALID", "")
    assert kept.read_text() == NOTE
    assert list(kept.parent.iterdir()) == [kept]


def test_what_is_not_good_is_not_remembered(judge, kept):
    judge(LINES, NOTE)

    assert judge(LINES, SMALL)[0] == "STALE"
    assert judge(OTHER_BOOK, FORK)[0] == "FORK"
    assert judge(LINES[:4], NOTE)[0] == "INCOMPLETE"
    assert judge(book(9, amount=1), note_of(body_of(GROWN)))[0] == "TAMPERED"
    assert kept.read_text() == NOTE


def test_an_export_without_a_checkpoint_leaves_no_trace(tmp_path, kept, capsys):
    (tmp_path / "export").write_bytes(export_of(LINES))

    assert told(capsys, "export", tmp_path / "export") == ("VALID", "")
    assert not kept.parent.exists()


def test_a_fork_is_written_down_with_what_was_good(judge, tmp_path):
    judge(LINES, NOTE)

    assert judge(OTHER_BOOK, FORK, "--evidence", tmp_path / "fork")[0] == "FORK"
    assert (tmp_path / "fork").read_text() == f"{NOTE}\n{FORK}"


def test_evidence_that_cannot_be_written_is_a_warning(judge, tmp_path):
    judge(LINES, NOTE)

    verdict, warned = judge(OTHER_BOOK, FORK, "--evidence", tmp_path)

    assert verdict == "FORK"
    assert warned.startswith("Warning: the evidence was not written down: ")


def test_a_log_is_compared_too(tmp_path, capsys):
    for name, lines in {"now": LINES, "before": LINES[:4], "fork": OTHER_BOOK}.items():
        (tmp_path / name).mkdir()
        write_log(tmp_path / name, lines)
    evidence = ["--evidence", tmp_path / "evidence"]

    assert told(capsys, "log", tmp_path / "now") == ("VALID", "")
    assert told(capsys, "log", tmp_path / "before")[0] == "STALE"
    assert told(capsys, "log", tmp_path / "fork", *evidence)[0] == "FORK"
    assert (tmp_path / "evidence").read_text() == f"{NOTE}\n{FORK}"
    (tmp_path / "before/tile/0/000.p/4").write_bytes(b"x")
    assert told(capsys, "log", tmp_path / "before")[0] == "TAMPERED"


def test_an_organisation_is_compared_too(site, capsys):
    address = f"{site.address}/o/lantern-house"
    balances = {
        "places": [{"account": "stripe", "currency": "EUR", "amount": 515}],
        "purposes": [{"account": "fund:general", "currency": "EUR", "amount": 515}],
    }

    site.publish(export_of(LINES), head_of(LINES) | {"checkpoint": NOTE}, balances=balances)
    assert told(capsys, "organisation", address) == ("VALID", "")
    site.publish(export_of(LINES), head_of(LINES) | {"checkpoint": SMALL}, balances=balances)
    assert told(capsys, "organisation", address)[0] == "STALE"


def test_an_organisation_that_states_no_checkpoint_has_nobodys_word(site, capsys):
    site.publish(export_of(LINES), head_of(LINES), balances={"places": [], "purposes": []})
    address = f"{site.address}/o/lantern-house"

    assert told(capsys, "organisation", address, "--key", VKEY)[0] == "INCOMPLETE"


def test_a_receipt_is_remembered_where_nothing_was(tmp_path, kept, capsys):
    assert received(tmp_path, LINES, 3, capsys) == ("VALID", "")
    assert kept.read_text() == NOTE
    assert received(tmp_path, GROWN, 3, capsys) == ("VALID", "")
    assert received(tmp_path, LINES[:4], 3, capsys) == ("VALID", "")
    assert kept.read_text() == NOTE


def test_a_receipt_may_not_contradict_what_was_good(tmp_path, judge, capsys):
    judge(LINES, NOTE)

    evidence = ["--evidence", tmp_path / "fork"]
    assert received(tmp_path, OTHER_BOOK, 3, capsys, *evidence)[0] == "FORK"
    assert (tmp_path / "fork").read_text() == f"{NOTE}\n{FORK}"


def test_the_folder_is_named_by_the_user(judge, kept, tmp_path):
    assert judge(LINES, NOTE, "--state", tmp_path / "a" / "b") == ("VALID", "")

    assert (tmp_path / "a" / "b" / NAME).read_text() == NOTE
    assert not kept.exists()
    assert judge(LINES, SMALL, "--state", tmp_path / "c") == ("VALID", "")


def test_nothing_is_compared_without_memory(judge, kept):
    judge(LINES, NOTE)

    assert judge(OTHER_BOOK, FORK, "--no-state") == ("VALID", "")
    assert kept.read_text() == NOTE


@pytest.mark.parametrize("state", ["", "not/absolute"])
def test_the_folder_is_below_home_otherwise(state, judge, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert judge(LINES, NOTE) == ("VALID", "")
    assert (tmp_path / ".local/state/almoner-verify" / NAME).read_text() == NOTE


def test_without_a_home_there_is_a_warning(judge, monkeypatch):
    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.delenv("HOME")

    verdict, warned = judge(LINES, NOTE)

    assert verdict == "VALID"
    assert warned.startswith("Warning: you have no home folder, so nothing is remembered")


def test_a_folder_that_cannot_be_written_is_a_warning(judge, tmp_path):
    (tmp_path / "file").write_text("")

    verdict, warned = judge(LINES, NOTE, "--state", tmp_path / "file")

    assert verdict == "VALID"
    assert "Warning: this checkpoint will not be remembered" in warned


@pytest.mark.parametrize("content", ["", "x", NOTE.replace("aa\n", "bb\n", 1)])
def test_what_cannot_be_read_again_is_a_warning(content, judge, kept):
    kept.parent.mkdir(parents=True)
    kept.write_text(content)

    verdict, warned = judge(LINES, NOTE)

    assert verdict == "VALID"
    assert warned.startswith(f"Warning: what was verified of {ORIGIN} before is not compared")
    assert kept.read_text() == NOTE


def test_a_note_is_replaced_whole_or_not_at_all(judge, kept, monkeypatch):
    judge(LINES, SMALL)

    def refuse(descriptor):
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", refuse)

    verdict, warned = judge(LINES, NOTE)
    assert verdict == "VALID"
    assert "no space left" in warned
    assert kept.read_text() == SMALL
    assert list(kept.parent.iterdir()) == [kept]


def test_what_was_good_is_told_in_words(judge, kept, tmp_path, capsys):
    judge(LINES, SMALL)
    words = ["export", str(tmp_path / "export"), "--checkpoint", str(tmp_path / "note")]

    (tmp_path / "note").write_text(NOTE)
    assert main(words) == 0
    assert "goes on from the 4 signed entries that you verified" in capsys.readouterr().out
    (tmp_path / "note").write_text(SMALL)
    assert main(words) == 10
    assert f"6 signed entries that you verified before are kept in {kept}." in (
        capsys.readouterr().out
    )
