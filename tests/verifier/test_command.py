"""The command: sources, statements, exit codes, and what it says."""

import io
import json
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verifier.books import chained, entry_at, export_of, genesis
from tests.verifier.corpus import BALANCES, book, edited, head_of
from tests.verifier.site import PUBLIC
from verifier import almoner_verify

LINES = chained(book())
HEAD = head_of(LINES)
PROGRAM = Path(almoner_verify.__file__)


@pytest.mark.parametrize("path", ["/o/lantern-house", f"{PUBLIC}", f"{PUBLIC}/ledger/export"])
def test_an_organisation_is_verified_from_its_address(path, site, capsys):
    site.publish(export_of(LINES), HEAD, balances=BALANCES)

    code = almoner_verify.main(["organisation", site.address + path])

    told = capsys.readouterr().out
    assert code == 0
    assert told.startswith("VALID\nEntries that agree: 6.\n")
    assert "EUR, in its smallest unit: places 4825, purposes 4825." in told
    assert "It contains the stated head." in told
    assert "no checkpoint was given" in told


def test_a_book_that_grows_meanwhile_is_valid(site, capsys):
    grown = chained([*book(), entry_at(6)])
    site.publish(export_of(grown), head_of(LINES[:5]), HEAD, balances=BALANCES)

    assert almoner_verify.main(["organisation", f"{site.address}/o/lantern-house"]) == 0


def test_a_book_that_never_stands_still_gets_no_verdict(site, capsys):
    heads = [{"size": size, "head_hash": "x"} for size in range(1, 9)]
    site.publish(export_of(LINES), *heads, balances=BALANCES)

    assert almoner_verify.main(["organisation", f"{site.address}/o/lantern-house"]) == 3
    assert "grew each time" in capsys.readouterr().err


def test_a_tampered_book_is_told_in_words(tmp_path, capsys):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(edited(2, amount=1)))

    code = almoner_verify.main(["export", str(export)])

    told = capsys.readouterr().out
    assert code == 13
    assert told.startswith("TAMPERED\nReason: entry 2: entry 3 recorded another hash for it.\n")
    assert "First bad sequence: 2." in told
    assert "It does not show" not in told


def test_an_empty_export_from_standard_input_is_incomplete(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))

    assert almoner_verify.main(["export", "-"]) == 12
    assert "Recorded from" not in capsys.readouterr().out


def test_a_valid_export_alone_says_what_it_does_not_show(tmp_path, capsys):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(LINES))

    assert almoner_verify.main(["export", str(export)]) == 0
    told = capsys.readouterr().out
    assert "No head was given" in told
    assert "No balances were given" in told


def test_quiet_says_nothing(tmp_path, capsys):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(LINES))

    assert almoner_verify.main(["export", str(export), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_a_reader_that_has_gone_does_not_change_the_exit_code(tmp_path, monkeypatch):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(LINES))
    reading, writing = os.pipe()
    os.close(reading)

    with open(writing, "w") as nobody:
        monkeypatch.setattr(sys, "stdout", nobody)

        assert almoner_verify.main(["export", str(export)]) == 0


def test_hostile_text_does_not_drive_the_terminal(tmp_path, capsys):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(chained([genesis(organisation_id="org_\u202eabc")])))

    assert almoner_verify.main(["export", str(export)]) == 0
    assert "Organisation org_?abc" in capsys.readouterr().out


@pytest.mark.parametrize(
    "head",
    [
        [],
        {},
        {"size": 0, "head_hash": ""},
        {"size": True, "head_hash": ""},
        {"size": 2**53, "head_hash": ""},
        {"size": 6, "head_hash": None},
    ],
)
def test_a_head_of_another_shape_is_malformed(head, verify):
    verdict = verify(export_of(LINES), head=head)

    assert (verdict["verdict"], verdict["first_bad_sequence"]) == ("MALFORMED", None)


ROW = {"account": "stripe", "currency": "EUR", "amount": 825}


@pytest.mark.parametrize(
    "balances",
    [
        [],
        {"places": []},
        {"places": [[]], "purposes": []},
        {"places": [ROW, ROW], "purposes": []},
        {"places": [ROW | {"amount": True}], "purposes": []},
        {"places": [ROW | {"amount": 1.5}], "purposes": []},
        {"places": [ROW | {"amount": 2**53}], "purposes": []},
        {"places": [ROW | {"account": 1}], "purposes": []},
    ],
)
def test_balances_of_another_shape_are_malformed(balances, verify):
    assert verify(export_of(LINES), balances=balances)["verdict"] == "MALFORMED"


def test_balances_without_a_head_are_compared_at_the_end(verify):
    assert verify(export_of(LINES), balances=BALANCES)["verdict"] == "VALID"
    assert verify(export_of(LINES[:-1]), balances=BALANCES)["verdict"] == "TAMPERED"


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
def test_a_statement_that_is_no_json_is_malformed(content, tmp_path, capsys):
    (tmp_path / "export.ndjson").write_bytes(export_of(LINES))
    (tmp_path / "head.json").write_bytes(content)

    arguments = [str(tmp_path / "export.ndjson"), "--head", str(tmp_path / "head.json")]

    assert almoner_verify.main(["export", *arguments]) == 16


def unused_address():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}/export"


def test_what_cannot_be_read_gets_no_verdict(tmp_path, site, capsys):
    for source in (str(tmp_path / "none"), f"{site.address}/none", unused_address(), "http://["):
        assert almoner_verify.main(["export", source]) == 3
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith("No verdict was reached: ")


@pytest.mark.parametrize(
    "arguments", [[], ["export"], ["organisation", "ftp://x/o/y"], ["organisation", "http://x/y"]]
)
def test_wrong_usage_exits_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        almoner_verify.main(arguments)

    assert exit_.value.code == 2


@pytest.mark.parametrize("start", [[str(PROGRAM)], ["-m", "verifier"]])
def test_the_program_runs_by_itself(start, tmp_path):
    export = tmp_path / "export.ndjson"
    export.write_bytes(export_of(LINES))
    command = [sys.executable, *start, "export", str(export), "--json"]

    answer = subprocess.run(
        command, capture_output=True, cwd=PROGRAM.parent.parent, timeout=60, check=True
    )

    assert json.loads(answer.stdout)["verdict"] == "VALID"


def test_the_module_and_the_file_are_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["almoner-verify", "--help"])
    for run in (lambda: runpy.run_module("verifier", run_name="__main__"), as_file):
        with pytest.raises(SystemExit) as exit_:
            run()
        assert exit_.value.code == 0


def as_file():
    runpy.run_path(str(PROGRAM), run_name="__main__")
