"""Policy files: what is wrong in one is told by its line, and both verifiers read all alike."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.signed_corpus import BODY, LINES, NOTE
from tests.verifier.signing import (
    LOG,
    ORIGIN,
    OTHER,
    VKEY,
    WITNESS_VKEYS,
    WITNESSES,
    cosigned,
    note_of,
    receipt_of,
    signed,
    vkey_of,
)
from tests.verifier.test_notes_in_browser import BATCHES
from tests.verifier.trust_corpus import CASES, LOG_LINE, QUORUMS, WITNESS_LINES
from verifier import almoner_verify

FORMS = "log <vkey> [<url>]", "witness <name> <vkey> [<url>]"
TAKEN = "this key stands on an earlier line already"
LINE = LOG_LINE.strip()
W0, W1, W2 = WITNESS_LINES.splitlines()
NO_MEMBER = "cannot be a member here, or is one already"
FAULTS = [
    ([""], 1, "the policy ends without a quorum (`quorum none` asks for no witness)"),
    ([LINE, "# nothing more"], 2, "the policy ends without a quorum"),
    (["quorum none\r"], 1, "a control character; lines end with LF alone"),
    ([LINE, "quorum none\x7f"], 2, "a control character"),
    (["\ufeffquorum none"], 1, f"expected {FORMS[0]} or {FORMS[1]} or group "),
    (["LOG x"], 1, "expected log <vkey>"),
    (["constructor x"], 1, "expected log <vkey>"),
    (["log"], 1, f"expected {FORMS[0]}"),
    ([f"{LINE} more"], 1, f"expected {FORMS[0]}"),
    (["witness w"], 1, f"expected {FORMS[1]}"),
    ([f"{W0} https://x more"], 1, f"expected {FORMS[1]}"),
    (["group g all"], 1, "expected group <name> all|any|<number> <name>..."),
    (["quorum"], 1, "expected quorum <name>|none"),
    (["quorum a b"], 1, "expected quorum <name>|none"),
    ([f"log {WITNESS_VKEYS[0]}"], 1, "this is not the key of a log"),
    ([f"witness w {VKEY}"], 1, "this is not the key of a witness"),
    (["", f"log {VKEY[:-4]}"], 2, "what should be base64 is not canonical, or of another length"),
    ([f"log {VKEY.replace('/log/', '/lag/')}"], 1, "the id of a verifier key is not its own"),
    ([LINE, LINE], 2, TAKEN),
    ([LINE, f"log {vkey_of('another', 1, LOG)}"], 2, TAKEN),
    ([LINE, f"witness w {vkey_of('w', 4, LOG)}"], 2, TAKEN),
    ([W0, f"log {vkey_of('w', 1, WITNESSES[0])}"], 2, TAKEN),
    ([W0, W0.replace("w0", "again")], 2, TAKEN),
    ([W0, W1.replace("w1", "w0")], 2, "the name w0 is taken"),
    ([W0.replace("w0", "none")], 1, "the name none is taken"),
    ([W0, "group w0 all w0"], 2, "the name w0 is taken"),
    ([W0, "group none all w0"], 2, "the name none is taken"),
    ([W0, "group g all w0 w1"], 2, "w1 is not defined on an earlier line"),
    ([W0, "group g all g"], 2, "g is not defined on an earlier line"),
    (["group g all none"], 1, f"none {NO_MEMBER}"),
    ([W0, "group g all w0 w0"], 2, f"w0 {NO_MEMBER}"),
    ([W0, W1, "group g all w0", "group h any w1 w0"], 4, f"w0 {NO_MEMBER}"),
    *(
        ([W0, W1, f"group g {count} w0 w1"], 3, "expected all, any, or a number from 1 to 2")
        for count in ("0", "3", "-1", "+1", "01", "1.0", "ALL", "constructor", "\uff12", "9" * 30)
    ),
    (["quorum w0", W0], 1, "w0 is not defined on an earlier line"),
    (["quorum none", "quorum none"], 2, "the policy has a quorum already"),
]  # fmt: skip
IDS = [f"{place}-{lines[-1][:20]!a}" for place, (lines, _, _) in enumerate(FAULTS)]


def refused(words, capsys):
    with pytest.raises(SystemExit) as leaving:
        almoner_verify.main(words)
    assert leaving.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(("lines", "number", "reason"), FAULTS, ids=IDS)
def test_what_is_wrong_is_told_by_its_line(lines, number, reason, tmp_path, capsys):
    policy = tmp_path / "policy"
    policy.write_text("\n".join(lines) + "\n", newline="\n")

    told = refused(["export", "x", "--policy", str(policy)], capsys)

    assert f"policy: line {number}: {reason}" in told


def test_a_policy_that_cannot_be_read_is_told(tmp_path, capsys):
    assert "No such file" in refused(["log", "x", "--policy", str(tmp_path / "none")], capsys)


def test_octets_that_are_no_text_are_names_like_others(tmp_path, capsys):
    policy = tmp_path / "policy"
    policy.write_bytes(b"witness \xff " + WITNESS_VKEYS[0].encode() + b"\nquorum \xff\n")
    (tmp_path / "export").write_bytes(b"".join(line + b"\n" for line in LINES))
    (tmp_path / "note").write_text(note_of(BODY, signed(BODY), cosigned(BODY, 0)))
    words = ["export", str(tmp_path / "export"), "--checkpoint", str(tmp_path / "note")]

    assert almoner_verify.main([*words, "--policy", str(policy)]) == 0
    policy.write_bytes(b"log \xff+00000000+" + VKEY[-44:].encode() + b"\nquorum none\n")
    assert "line 1: the id of a verifier key" in refused([*words, "--policy", str(policy)], capsys)


@pytest.mark.parametrize(
    "more", [["--key", VKEY], ["--witness", WITNESS_VKEYS[0]], ["--witnesses", "0"]]
)
def test_a_policy_goes_with_no_other_word(more, tmp_path, capsys):
    policy = tmp_path / "policy"
    policy.write_text("quorum none\n")

    told = refused(["export", "x", "--policy", str(policy), *more], capsys)

    assert "leave out --key, --witness and --witnesses" in told


def test_a_receipt_needs_a_policy_that_names_a_log(tmp_path, capsys):
    policy = tmp_path / "policy"
    policy.write_text("quorum none\n")

    assert "a --policy with a line for it" in refused(
        ["receipt", "x", "--policy", str(policy)], capsys
    )
    assert "--max-age is about witnesses" in refused(
        ["log", "x", "--policy", str(policy), "--max-age", "1"], capsys
    )


# Both verifiers read them alike


def result_of(text):
    try:
        policy = almoner_verify.read_policy(text.encode())
    except almoner_verify.Malformed as error:
        return str(error)
    named = [[name, key.vkey] for name, key in policy.witnesses.items()]
    groups = [[name, needed, list(members)] for name, needed, members in policy.groups]
    return [[key.vkey for key in policy.logs], named, groups, policy.quorum]


def assert_both_agree(node, texts):
    sent = [["policy", base64.b64encode(text.encode()).decode()] for text in texts]
    for text, answer in zip(texts, node("run_notes.mjs", sent), strict=True):
        ours = result_of(text)
        # The two say in other words why something is no base64.
        is_worded_alike = "base64" not in str(answer)
        assert answer == ours or (not is_worded_alike and same_line(answer, ours)), text


def same_line(one, other):
    return one.partition(":")[0] == other.partition(":")[0]


def test_the_browser_reads_every_policy_alike(node):
    faulty = ["\n".join(lines) for lines, _, _ in FAULTS]
    good = [case.policy for case in CASES if case.policy]

    assert all(isinstance(result_of(text), str) for text in faulty)
    assert all(isinstance(result_of(text), list) for text in good)
    assert_both_agree(node, faulty + good)


WORDS = [
    "log", "witness", "group", "quorum", "none", "all", "any", "1", "2", "w0", "w1", "g", "#",
    "\t", " ", "\n", "\n", "\r", "\x0b", "\u00a0", "\u2028", "é", "\ufeff", VKEY, *WITNESS_VKEYS,
]  # fmt: skip


@given(
    texts=st.lists(
        st.lists(st.sampled_from([LINE, W0, W1, W2, *QUORUMS.values()]), max_size=6).map("\n".join)
        | st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
        | st.lists(st.sampled_from(WORDS), max_size=20).map("".join),
        min_size=30,
        max_size=60,
    )
)
@BATCHES
def test_the_browser_reads_anything_alike(node, texts):
    assert_both_agree(node, texts)


SECOND = vkey_of(ORIGIN, 1, OTHER)


@pytest.mark.parametrize(
    ("text", "trust"),
    [
        ("", {"keys": []}),
        (" \n# mine\n\t\n", {"keys": []}),
        (VKEY, {"keys": [VKEY]}),
        (f" {VKEY} \n\n{SECOND}\n", {"keys": [VKEY, SECOND]}),
        (f"{VKEY}\n{VKEY}", f"line 2: {TAKEN}"),
        (f"{VKEY} {SECOND}", "line 1: a key has no space in it, and a policy has no such line"),
        (f"{VKEY}\nx", "line 2: this is no log’s key, or not all of one: copy the whole of it"),
        (WITNESS_VKEYS[0], "line 1: this is the key of a witness: name it in a policy file"),
        (f"# ours\n{LOG_LINE}quorum none", {"policy": f"# ours\n{LOG_LINE}quorum none"}),
        (LOG_LINE, "line 1: the policy ends without a quorum"),
        (f"{VKEY}\nquorum none", "line 1: expected"),
    ],
)  # fmt: skip
def test_a_field_takes_keys_or_a_policy(node, text, trust):
    [answer] = node("run_notes.mjs", [["trust", base64.b64encode(text.encode()).decode()]])

    assert answer == trust or (isinstance(answer, str) and answer.startswith(trust))


# What it says


def judged(folder, capsys, note, *words):
    (folder / "receipt").write_text(receipt_of(LINES, 3, note))
    code = almoner_verify.main(["receipt", str(folder / "receipt"), *words])
    return code, capsys.readouterr().out


def with_policy(folder, text):
    (folder / "policy").write_text(text)
    return "--policy", str(folder / "policy")


def test_the_witnesses_of_a_policy_are_counted(tmp_path, capsys):
    two = note_of(BODY, signed(BODY), cosigned(BODY, 0), cosigned(BODY, 2))
    asked = with_policy(tmp_path, LOG_LINE + WITNESS_LINES + QUORUMS["two"])
    _, enough = judged(tmp_path, capsys, two, *asked)
    assert "2 of your 3 witnesses signed it too: that is as many as you ask for." in enough

    unasked = with_policy(tmp_path, LOG_LINE + WITNESS_LINES + QUORUMS["none"])
    _, none = judged(tmp_path, capsys, NOTE, *unasked)
    assert "0 of your 3 witnesses signed it too, and you ask for none: it does not" in none


def test_a_report_names_all_who_signed(tmp_path, capsys):
    note = note_of(BODY, signed(BODY), cosigned(BODY, 0, time=7))
    policy = with_policy(tmp_path, LOG_LINE + WITNESS_LINES + QUORUMS["any"])

    _, told = judged(tmp_path, capsys, note, *policy, "--json")

    checkpoint = json.loads(told)["checkpoint"]
    assert (checkpoint["key"], checkpoint["succeeds"]) == (VKEY, [])
    assert checkpoint["witnesses"] == [
        {"vkey": WITNESS_VKEYS[0], "signed_at": 7},
        {"vkey": WITNESS_VKEYS[1], "signed_at": None},
        {"vkey": WITNESS_VKEYS[2], "signed_at": None},
    ]


FAR = 4_000_000_000


def aged(*times):
    """Return a note that witnesses signed at these times."""
    return note_of(BODY, signed(BODY), *(cosigned(BODY, p, time=t) for p, t in enumerate(times)))


@pytest.mark.parametrize(
    ("times", "verdict"),
    [
        ((1, 1, 1), "STALE"),
        ((FAR, 1, 1), "STALE"),
        ((FAR, FAR, 1), "VALID"),
        ((FAR,), "UNWITNESSED"),
    ],
)
def test_old_cosignatures_make_no_quorum(times, verdict, tmp_path, capsys):
    policy = with_policy(tmp_path, LOG_LINE + WITNESS_LINES + QUORUMS["two"])

    code, told = judged(tmp_path, capsys, aged(*times), *policy, "--max-age", "3600")

    assert told.startswith(verdict)
    assert code == almoner_verify.EXIT_CODES[verdict]


def test_old_cosignatures_of_a_book_are_told_last(tmp_path, capsys):
    export, note = tmp_path / "export", tmp_path / "note"
    export.write_bytes(b"".join(line + b"\n" for line in LINES))
    note.write_text(aged(1))
    words = ["export", str(export), "--checkpoint", str(note), "--witness", WITNESS_VKEYS[0]]

    assert almoner_verify.main([*words, "--max-age", "60"]) == 10
    reason = "too few witnesses signed the checkpoint within the last 60 seconds"
    assert reason in capsys.readouterr().out
    assert almoner_verify.main(words) == 0
    export.write_bytes(export.read_bytes()[:-10])
    assert almoner_verify.main([*words, "--max-age", "60"]) == 16
