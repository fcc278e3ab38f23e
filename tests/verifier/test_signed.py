"""What is signed, as the command judges it: every case of the corpus, and what it says."""

import hashlib
import json
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.books import export_of
from tests.verifier.cases import CASES
from tests.verifier.corpus import head_of
from tests.verifier.rotation_corpus import SECOND_VKEY
from tests.verifier.signed_corpus import LINES, NOTE, Case
from tests.verifier.signing import ORIGIN, VKEY, WITNESS_VKEYS
from verifier import almoner_verify


def arguments_of(case: Case, folder) -> list[str]:
    """Return how a user asks for the verdict."""
    files = {"first": case.first, "second": case.second.encode(), "export": case.export}
    paths = {name: folder / name for name in files}
    for name, path in paths.items():
        path.write_bytes(files[name])
    words = [case.kind, str(paths["first"])]
    if case.kind == "export":
        words += ["--checkpoint", str(paths["second"])]
    elif case.kind == "consistency":
        words += [str(paths["second"])]
    elif case.second:
        words += ["--opening", str(paths["second"])]
    words += ["--export", str(paths["export"])] if case.export else []
    words += [word for vkey in case.keys for word in ("--key", vkey)]
    words += [word for vkey in case.witnesses for word in ("--witness", vkey)]
    words += ["--witnesses", str(case.quorum)] if case.quorum is not None else []
    return [*words, *trust_of(case, folder)]


def trust_of(case: Case, folder) -> list[str]:
    """Return how a user says what they know: a policy, and what was good before."""
    (folder / "policy").write_text(case.policy)
    words = ["--policy", str(folder / "policy")] if case.policy else []
    if not case.remembered:
        return [*words, *([] if case.kind == "consistency" else ["--no-state"])]
    origin = case.remembered.split("\n")[0]
    state = folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir()
    note = state / f"{hashlib.sha256(origin.encode()).hexdigest()}.note"
    note.write_text(case.remembered)
    return [*words, "--state", str(state)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_case_gets_its_verdict(case, tmp_path, capsys):
    code = almoner_verify.main([*arguments_of(case, tmp_path), "--json"])

    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["first_bad_sequence"]) == (case.verdict, case.sequence)
    assert code == almoner_verify.EXIT_CODES[case.verdict]
    assert bool(report["reason"]) is (case.verdict != "VALID")


# Ed25519


@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200), data=st.data())
def test_signatures_are_those_of_ed25519(seed, message, data):
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)

    assert almoner_verify.is_signature(public, message, signature)
    assert not almoner_verify.is_signature(public, message + b"x", signature)
    for place, content in ((0, signature), (1, public)):
        altered = bytearray(content)
        altered[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        wrong = (public, bytes(altered)) if place == 0 else (bytes(altered), signature)
        assert not almoner_verify.is_signature(wrong[0], message, wrong[1])


SIGNED = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
PUBLIC, SIGNATURE = SIGNED.public_key().public_bytes_raw(), SIGNED.sign(b"")
P, L = almoner_verify.PRIME, almoner_verify.ORDER
AGAIN = int.from_bytes(SIGNATURE[32:], "little") + L


@pytest.mark.parametrize(
    ("public", "signature"),
    [
        # Another encoding of the same scalar: RFC 8032 wants the one below the order.
        (PUBLIC, SIGNATURE[:32] + AGAIN.to_bytes(32, "little")),
        (PUBLIC, SIGNATURE[:63]),
        (PUBLIC, SIGNATURE + b"\x00"),
        (PUBLIC, b""),
        (PUBLIC[:31], SIGNATURE),
        (b"", SIGNATURE),
        # Encodings of no point: y is not below the prime, no x fits y, x is zero and has a sign.
        (P.to_bytes(32, "little"), SIGNATURE),
        ((P + 1).to_bytes(32, "little"), SIGNATURE),
        ((2).to_bytes(32, "little"), SIGNATURE),
        ((1 + 2**255).to_bytes(32, "little"), SIGNATURE),
    ],
)  # fmt: skip
def test_what_is_nearly_a_signature_is_none(public, signature):
    assert almoner_verify.is_signature(PUBLIC, b"", SIGNATURE)
    assert not almoner_verify.is_signature(public, b"", signature)


# What it says


def told(capsys, *arguments):
    code = almoner_verify.main([*map(str, arguments)])
    return code, capsys.readouterr().out


def files_of(folder, name):
    """Write down what a case has; return its command."""
    case = next(case for case in CASES if case.name == name)
    return arguments_of(case, folder)


def test_a_receipt_is_told_in_words(tmp_path, capsys):
    code, words = told(capsys, *files_of(tmp_path, "receipt: 3 of 6"))

    assert code == 0
    assert words.startswith("VALID\nEntry 3 of org_01jfa0000000000000000000aa: DONATION_RECEIVED, ")
    assert "one of the 6 that the key of ledger.example/log/org_" in words
    assert "No witness was asked" in words


def test_witnesses_are_counted_in_words(tmp_path, capsys):
    _, all_three = told(capsys, *files_of(tmp_path, "receipt: three witnesses"))
    code, none = told(capsys, *files_of(tmp_path, "receipt: no witness"))

    assert "3 of your 3 witnesses signed it too: that is as many as you ask for." in all_three
    assert code == 11
    reason = "0 of 3 witnesses signed the checkpoint, and more are asked for"
    assert none == f"UNWITNESSED\nReason: {reason}.\n"


def test_an_export_says_whose_word_it_takes(tmp_path, capsys):
    _, given_key = told(capsys, *files_of(tmp_path, "export: entries that are not signed yet"))
    _, believed = told(capsys, *files_of(tmp_path, "export: the key of the genesis"))

    assert "The first 6 entries are those that were signed as ledger.example/log/" in given_key
    assert "by your key; 3 came since." in given_key
    assert "by the key that its own genesis names; 0 came since." in believed


def test_a_changed_key_is_told_in_words_and_facts(tmp_path, capsys):
    command = files_of(tmp_path, "export: the new key signs, key given: old")

    _, words = told(capsys, *command)
    report = json.loads(told(capsys, *command, "--json")[1])

    assert "by the key that took the place of your key; 0 came since." in words
    assert (report["checkpoint"]["key"], report["checkpoint"]["succeeds"]) == (SECOND_VKEY, [VKEY])
    assert report["rotations"] == [
        {"sequence": 3, "retires": VKEY, "vkey": SECOND_VKEY, "is_signed": True}
    ]


def test_a_key_that_was_lost_is_told(tmp_path, capsys):
    _, believed = told(capsys, *files_of(tmp_path, "export: unsigned, new key, key given: none"))
    code, refused = told(
        capsys, *files_of(tmp_path, "export: the retired key alone, key given: old")
    )

    assert "took the place of the key that its own genesis names" in believed
    assert "Entry 3 names a new key that the old one did not sign: ask" in believed
    assert code == 15
    assert f"the checkpoint of {ORIGIN} is signed by a retired key only" in refused


def test_a_fork_is_written_down(tmp_path, capsys):
    evidence = tmp_path / "evidence"
    command = files_of(tmp_path, "two: a fork of equal size")

    code, words = told(capsys, *command, "--evidence", evidence)

    assert code == 14
    assert "two books of 6 entries were signed, each under its own root" in words
    both = [(tmp_path / name).read_text() for name in ("first", "second")]
    assert evidence.read_text() == "\n".join(both)


def test_nothing_is_written_down_where_nothing_forked(tmp_path, capsys):
    evidence = tmp_path / "evidence"
    command = files_of(tmp_path, "two: one book")

    code, words = told(capsys, *command, "--evidence", evidence)

    assert (code, evidence.exists()) == (0, False)
    assert "the smaller is its beginning" in words


def test_checkpoints_of_two_sizes_need_the_book(tmp_path, capsys):
    command = files_of(tmp_path, "two: one book")

    assert almoner_verify.main(command[: command.index("--export")] + command[-2:]) == 3
    assert "give an --export" in capsys.readouterr().err


WITNESS = ["--witness", WITNESS_VKEYS[0]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["receipt", "x"], "say whose word you take: give the log's --key, or a --policy"),
        (["consistency", "x", "y"], "say whose word you take"),
        (["receipt", "x", "--key", WITNESS_VKEYS[0]], "this is not the key of a log"),
        (["receipt", "x", "--witness", VKEY], "this is not the key of a witness"),
        (["receipt", "x", "--key", VKEY, "--max-age", "9"], "--max-age is about witnesses"),
        (["export", "x", *WITNESS, "--max-age", "9"], "--max-age is about a checkpoint"),
        (["receipt", "x", "--state", "y", "--no-state"], "not allowed with"),
        (["receipt", "x", "--key", "x"], "what should be base64 is not canonical"),
        (["receipt", "x", "--key", VKEY[:-2]], "what should be base64 is not"),
        (["receipt", "x", "--key", VKEY.replace("/log/", "/l g/")], "a name without spaces"),
        (["receipt", "x", "--key", VKEY.replace("/log/", "/lag/")], "is not its own"),
        (["export", "x", "--checkpoint", "y", "--from-attestation"], "not allowed with"),
        (["export", "x", "--witnesses", "-1"], "expected how many"),
        (["export", "x", "--witnesses", "two"], "expected how many"),
    ],
)
def test_what_cannot_be_asked_is_told(words, said, capsys):
    with pytest.raises(SystemExit) as leaving:
        almoner_verify.main(words)

    assert leaving.value.code == 2
    assert said in capsys.readouterr().err


def test_a_receipt_that_is_not_there_gets_no_verdict(capsys):
    assert almoner_verify.main(["receipt", "/nowhere", "--key", VKEY]) == 3
    assert "could not be read" in capsys.readouterr().err


def test_a_policy_is_checked_before_anything_is_read(tmp_path, capsys):
    witnesses = ["--witness", WITNESS_VKEYS[0], "--witness", WITNESS_VKEYS[0]]
    export = tmp_path / "export"
    export.write_bytes(b"\n".join(LINES) + b"\n")

    assert almoner_verify.main(["export", str(export), "--key", VKEY, *witnesses]) == 16
    assert "names one key twice" in capsys.readouterr().out


def test_a_site_states_its_checkpoint_too(site, capsys):
    head = head_of(LINES) | {"checkpoint": NOTE}
    balances = {
        "places": [{"account": "stripe", "currency": "EUR", "amount": 515}],
        "purposes": [{"account": "fund:general", "currency": "EUR", "amount": 515}],
    }
    address = f"{site.address}/o/lantern-house"

    site.publish(export_of(LINES), head, balances=balances)
    code, words = told(capsys, "organisation", address, "--key", VKEY)
    site.publish(export_of(LINES), head | {"checkpoint": "x"}, balances=balances)
    refused = told(capsys, "organisation", address, "--json")

    assert (code, "by your key" in words) == (0, True)
    assert (refused[0], json.loads(refused[1])["verdict"]) == (16, "MALFORMED")
    assert "the checkpoint: a checkpoint is an origin, a size" in refused[1]
