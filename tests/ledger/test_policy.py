"""Policies: whose word counts, and every way in which a file is none."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import notes
from ledger.policy import WITNESSES_MAX, PolicyBroken, parse_policy


def key_of(number, name, type=notes.COSIGNATURE):
    private = Ed25519PrivateKey.from_private_bytes(number.to_bytes(32))
    return notes.Key(name, type, private.public_key().public_bytes_raw())


LOG = key_of(1, "ledger.example/log/org_1", notes.ED25519)
X1, X2, X3, Y1, Y2 = KEYS = [key_of(10 + place, f"witness.example/{place}") for place in range(5)]
WITNESSES = [
    f"witness {name} {key}" for name, key in zip(["X1", "X2", "X3", "Y1", "Y2"], KEYS, strict=True)
]
NESTED = [
    f"log {LOG} https://ledger.example/log/org_1",
    *WITNESSES,
    "group X 2 X1 X2 X3",
    "group Y any Y1 Y2",
    "group both all X Y",
    "quorum both",
]


def read(*lines):
    return parse_policy("".join(f"{line}\n" for line in lines).encode())


@pytest.mark.parametrize(
    ("signed", "is_met"),
    [
        ([], False),
        ([X1, X2], False),
        ([X1, Y1], False),
        ([Y1, Y2], False),
        ([X1, X2, Y2], True),
        ([X3, X2, Y1, Y2], True),
        (KEYS, True),
        ([LOG, key_of(99, "witness.example/0")], False),
    ],
)
def test_groups_of_groups_make_a_quorum(signed, is_met):
    assert read(*NESTED).is_met_by(signed) == is_met


@pytest.mark.parametrize(
    ("lines", "signed", "is_met"),
    [
        (["quorum none"], [], True),
        (["quorum X1"], [X2], False),
        (["quorum X1"], [X1], True),
        (["group any-of-them any X1 X2", "quorum any-of-them"], [X2], True),
        (["group all-of-them all X1 X2", "quorum all-of-them"], [X2], False),
        (["group three 3 X1 X2 X3", "quorum three"], [X1, X2], False),
        (["group three 3 X1 X2 X3", "quorum three"], [X1, X2, X3], True),
    ],
)
def test_the_quorum_is_none_a_witness_or_a_group(lines, signed, is_met):
    assert read(*WITNESSES, *lines).is_met_by(signed) == is_met


def test_it_says_who_of_them_signed():
    policy = read(*NESTED)

    assert [witness.name for witness in policy.signers([X2, LOG, Y1])] == ["X2", "Y1"]
    assert len(policy.witnesses) == 5


def test_blanks_comments_and_any_octets_are_allowed():
    policy = parse_policy(
        b"# Z\xfcrich, caf\xc3\xa9\n \t # more\n\n\t \n"
        + f"\twitness  K\u212a\t {X1} \t https://wit.example/\u00e9 \n".encode()
        + b"witness K\xe2\x84 "
        + str(X2).encode()
        + b"\ngroup all any K\xe2\x84 K\xe2\x84\xaa\n quorum\tall\n"
    )

    assert policy.is_met_by([X2])
    assert [witness.url for witness in policy.witnesses] == ["https://wit.example/\u00e9", ""]
    assert policy.witnesses[0].name == "K\u212a"


def test_a_policy_is_written_as_it_is_read():
    policy = read(*NESTED)

    assert parse_policy(str(policy).encode()) == policy
    assert str(read("quorum none")) == "quorum none\n"


def test_thirty_two_of_everything_fit():
    logs = [f"log {key_of(1000 + n, f'l{n}', notes.ED25519)}" for n in range(32)]
    witnesses = [f"witness w{n} {key_of(2000 + n, 'w')}" for n in range(32)]
    groups = [f"group g{n} all w{n}{f' g{n - 1}' if n else ''}" for n in range(32)]

    policy = read(*logs, *witnesses, *groups, "quorum g31")

    assert policy.is_met_by([witness.key for witness in policy.witnesses])
    assert not policy.is_met_by([witness.key for witness in policy.witnesses[1:]])


FORM = "a line is `log VKEY"
BROKEN = [
    ([], "Line 1: the file ends without a quorum"),
    (["# only a comment"], "Line 2: the file ends without a quorum"),
    (["quorum none", "quorum none"], "Line 2: the quorum was defined before"),
    (["quorum X1", WITNESSES[0]], "Line 1: `X1` is no witness and no group of a line before"),
    (["quorum"], FORM),
    (["quorum none none"], FORM),
    (["log"], FORM),
    ([f"log {LOG} https://a https://b"], FORM),
    (["witness X1"], FORM),
    ([f"witness X1 {X1} https://a b"], FORM),
    (["group X all"], FORM),
    (["Quorum none"], FORM),
    (["none"], FORM),
    ([f"witness\u00a0X1 {X1}"], FORM),
    (["log x"], "`x` is no verifier key of Ed25519"),
    ([f"log {X1}"], "is no key of a log"),
    ([f"witness X1 {LOG}"], "is no key of a witness"),
    ([f"log {LOG}", f"log {LOG}"], "Line 2: the key `ledger.example/log/org_1+"),
    ([WITNESSES[0], f"witness again {X1}"], "Line 2: the key"),
    ([WITNESSES[0], f"witness again {X1._replace(name='other')}"], "Line 2: the key"),
    ([f"log {LOG}", f"witness w {LOG._replace(type=4)}"], "Line 2: the key"),
    ([f"witness w {LOG._replace(type=4)}", f"log {LOG}"], "Line 2: the key"),
    ([WITNESSES[0], f"witness X1 {X2}"], "Line 2: the name `X1` is taken"),
    ([f"witness none {X1}"], "the name `none` is taken"),
    ([WITNESSES[0], "group X1 any X1"], "the name `X1` is taken"),
    ([WITNESSES[0], "group none any X1"], "the name `none` is taken"),
    ([WITNESSES[0], "group X any X1 none"], "`none` is no witness"),
    (["group X any X"], "`X` is no witness and no group"),
    ([WITNESSES[0], "group X any X1 X1"], "`X1` is a member of a group already"),
    ([*WITNESSES[:2], "group X any X1", "group Y any X1 X2"], "Line 4: `X1` is a member"),
    ([*WITNESSES[:2], "group X 0 X1 X2"], "`0` is not all, any, or a number up to 2"),
    ([*WITNESSES[:2], "group X 3 X1 X2"], "`3` is not all, any"),
    ([*WITNESSES[:2], "group X 02 X1 X2"], "`02` is not all, any"),
    ([*WITNESSES[:2], "group X -1 X1 X2"], "`-1` is not all, any"),
    ([*WITNESSES[:2], "group X \u0662 X1 X2"], "is not all, any"),
    ([*WITNESSES[:2], "group X 1000000000000 X1 X2"], "is not all, any"),
    (["quorum none\r"], "Line 1: the byte 0x0d is none"),
    (["\x00"], "the byte 0x00"),
    (["\x7f"], "the byte 0x7f"),
]


@pytest.mark.parametrize(("lines", "sentence"), BROKEN)
def test_what_is_no_policy_is_refused_with_its_line(lines, sentence):
    with pytest.raises(PolicyBroken) as refusal:
        read(*lines)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "Line 1: the file ends"),
        (b"quorum none", "Line 1: it has no end"),
        (b"quorum none\nlog", "Line 2: it has no end"),
        (b"quorum \xff\n", "Line 1: `\N{REPLACEMENT CHARACTER}` is no witness"),
        (b"log \xff+\xff+\xff\n", "is no verifier key"),
    ],
)
def test_bytes_that_are_no_policy_are_refused_too(content, sentence):
    with pytest.raises(PolicyBroken) as refusal:
        parse_policy(content)

    assert sentence in str(refusal.value)


def test_more_witnesses_than_a_note_takes_are_refused():
    lines = [f"witness w{n} {key_of(2000 + n, 'w')}" for n in range(WITNESSES_MAX + 1)]

    assert len(read(*lines[:-1], "quorum none").witnesses) == WITNESSES_MAX
    with pytest.raises(PolicyBroken, match=f"Line {WITNESSES_MAX + 1}: a checkpoint has room"):
        read(*lines)
