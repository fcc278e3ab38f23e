"""Notes, checkpoints and cosignatures: the formats of C2SP, and nothing that is nearly them."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger import notes
from ledger.notes import COSIGNATURE, ED25519, Checkpoint, Key, NoteMalformed, SignatureWrong

NAME = "ledger.example/org/acme"
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"\x02" * 32)
LOG_KEY = Key(NAME, ED25519, PRIVATE.public_key().public_bytes_raw())
WITNESS_KEY = Key("witness.example/w1", COSIGNATURE, WITNESS.public_key().public_bytes_raw())
VKEY = "ledger.example/org/acme+ad9a938f+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
CHECKPOINT = Checkpoint(NAME, 3, b"\x03" * 32)
BODY = f"{NAME}\n3\nAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM=\n"
TIME = 1_679_315_147


def signed(*signatures, body=BODY):
    """Return a note as its bytes."""
    lines = signatures or (notes.sign(PRIVATE, NAME, body),)
    return "\n".join([body, *map(str, lines), ""]).encode()


def cosigned(unix_time=TIME):
    return notes.cosign(WITNESS, WITNESS_KEY.name, BODY, unix_time=unix_time)


def test_a_key_is_written_as_a_vkey():
    assert str(LOG_KEY) == VKEY
    assert notes.parse_key(VKEY) == LOG_KEY
    assert notes.parse_key(str(WITNESS_KEY)) == WITNESS_KEY


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        NAME,
        f"{NAME}+ad9a938f",
        VKEY.replace("ad9a938f", "ad9a938e"),
        VKEY.replace("ad9a938f", "AD9A938F"),
        VKEY.replace("acme", "acm"),
        VKEY.replace(NAME, ""),
        VKEY.replace("acme", "ac me"),
        VKEY.replace("acme", "ac\u00a0me"),
        f"{VKEY}=",
        f"{VKEY}\n",
        f"{VKEY}+",
        VKEY[:-4],
        VKEY.replace("AYq", "AI q"),
        str(Key(NAME, 0x02, LOG_KEY.public)),
        str(Key(NAME, ED25519, LOG_KEY.public[:31])),
    ],
)
def test_what_is_nearly_a_vkey_is_none(vkey):
    with pytest.raises(NoteMalformed):
        notes.parse_key(vkey)


def test_a_checkpoint_is_signed_and_read():
    note = notes.parse_note(signed())

    assert str(CHECKPOINT) == BODY
    assert str(note).encode() == signed()
    assert notes.parse_checkpoint(note.text) == CHECKPOINT
    assert note.signed_by([LOG_KEY]) == {LOG_KEY: 0}
    assert note.signed_by([]) == {}
    assert note.signed_by([WITNESS_KEY]) == {}


def test_the_example_of_the_specification_reads():
    note = notes.parse_note(
        "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\n"
        "ed è subito sera.\n\n— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5d"
        "dnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n".encode()
    )

    assert note.text.endswith("\n\ned è subito sera.\n")
    assert note.signatures[0].key_id.hex() == "367ba04b"


def test_a_witness_says_when():
    note = notes.parse_note(signed(notes.sign(PRIVATE, NAME, BODY), cosigned()))

    assert note.signed_by([LOG_KEY, WITNESS_KEY]) == {LOG_KEY: 0, WITNESS_KEY: TIME}
    message = f"cosignature/v1\ntime {TIME}\n{BODY}".encode()
    stamp, signature = note.signatures[1].signature[:8], note.signatures[1].signature[8:]
    assert int.from_bytes(stamp, "big") == TIME
    assert signature == WITNESS.sign(message)


def altered(signature, place):
    """Return a signature with another bit in it."""
    value = bytearray(signature.signature)
    value[place] ^= 1
    return signature._replace(signature=bytes(value))


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        (LOG_KEY, altered(notes.sign(PRIVATE, NAME, BODY), 0)),
        (LOG_KEY, altered(notes.sign(PRIVATE, NAME, BODY), 63)),
        (LOG_KEY, notes.sign(PRIVATE, NAME, f"{BODY}x\n")),
        (LOG_KEY, notes.Signature(NAME, LOG_KEY.id, WITNESS.sign(BODY.encode()))),
        (LOG_KEY, notes.Signature(NAME, LOG_KEY.id, b"x")),
        (LOG_KEY, notes.Signature(NAME, LOG_KEY.id, PRIVATE.sign(BODY.encode()) + b"x")),
        (WITNESS_KEY, altered(cosigned(), 7)),
        (WITNESS_KEY, altered(cosigned(), 8)),
        (WITNESS_KEY, cosigned(2**63)),
        (WITNESS_KEY, cosigned()._replace(signature=WITNESS.sign(BODY.encode()))),
        (WITNESS_KEY, cosigned()._replace(signature=b"\x00" * 8)),
    ],
)
def test_a_known_key_that_did_not_sign_spoils_the_note(key, signature):
    good = notes.sign(PRIVATE, NAME, BODY)

    for lines in [(signature,), (good, signature), (signature, good)]:
        with pytest.raises(SignatureWrong, match=key.name):
            notes.parse_note(signed(*lines)).signed_by([LOG_KEY, WITNESS_KEY])


def test_the_last_second_that_can_be_said():
    assert notes.parse_note(signed(cosigned(2**63 - 1))).signed_by([WITNESS_KEY])


@pytest.mark.parametrize(
    "signature",
    [
        notes.sign(WITNESS, "another.example", BODY),
        notes.sign(WITNESS, NAME, BODY),
        notes.Signature("another.example", LOG_KEY.id, b"x" * 64),
        notes.cosign(PRIVATE, NAME, BODY, unix_time=TIME),
    ],
)
def test_what_others_signed_is_passed_over(signature):
    note = notes.parse_note(signed(signature, notes.sign(PRIVATE, NAME, BODY)))

    assert note.signed_by([LOG_KEY]) == {LOG_KEY: 0}
    assert notes.parse_note(signed(signature)).signed_by([LOG_KEY]) == {}


GOOD = signed().decode()
LINE = GOOD.splitlines()[-1]


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n",
        b"\n\n",
        BODY.encode(),
        f"{BODY}\n".encode(),
        f"\n\n{LINE}\n".encode(),
        GOOD[:-1].encode(),
        f"{GOOD}\n".encode(),
        f"{GOOD}x\n".encode(),
        f"{GOOD}— a\n".encode(),
        f"{GOOD}— a b c\n".encode(),
        f"{GOOD}—  AAAAAAA=\n".encode(),
        f"{GOOD}- a AAAAAAA=\n".encode(),
        f"{GOOD}— a+b AAAAAAA=\n".encode(),
        f"{GOOD}— a AAAAAA==\n".encode(),
        f"{GOOD}— a AAAAAAA\n".encode(),
        f"{GOOD}— a AAAAAAB=\n".encode(),
        f"{GOOD}— a AAAA_AA=\n".encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace("3", "3\t").encode(),
        GOOD.replace("3", "3\x00").encode(),
        f"\ufeff{GOOD}".encode("utf-16"),
        GOOD.encode()[:-1] + b"\xff\n",
        "\n".join([BODY, *[LINE] * 101, ""]).encode(),
        f"{'x' * 1_000_000}\n\n{LINE}\n".encode(),
    ],
)
def test_what_is_nearly_a_note_is_none(note):
    with pytest.raises(NoteMalformed):
        notes.parse_note(note)


@pytest.mark.parametrize("count", [16, 17, 100])
def test_a_note_has_many_signatures(count):
    others = [notes.sign(WITNESS, f"w{number}", BODY) for number in range(count - 1)]
    note = notes.parse_note(signed(*others, notes.sign(PRIVATE, NAME, BODY)))

    assert note.signed_by([LOG_KEY]) == {LOG_KEY: 0}


def test_a_note_may_have_a_million_bytes():
    signature = notes.sign(PRIVATE, NAME, "")
    length = 1_000_000 - len(f"\n\n{signature}\n".encode())

    assert notes.parse_note(f"{'x' * length}\n\n{signature}\n".encode())


@pytest.mark.parametrize(
    "body",
    [
        "",
        BODY[:-1],
        f"{BODY}extension\n",
        f"\n{BODY}",
        BODY.replace("\n3\n", "\n03\n"),
        BODY.replace("\n3\n", "\n+3\n"),
        BODY.replace("\n3\n", "\n-3\n"),
        BODY.replace("\n3\n", "\n3 \n"),
        BODY.replace("\n3\n", "\n٣\n"),
        BODY.replace("\n3\n", "\n\n"),
        BODY.replace("\n3\n", "\n9007199254740992\n"),
        BODY.replace("\n3\n", f"\n{'9' * 5000}\n"),
        BODY.replace("AwM=", "AwN="),
        BODY.replace("AwM=", "AwMDAw=="),
        BODY.replace("AwM=", "AA=="),
        BODY.replace("AwM=", "AwM"),
        BODY.replace("AwM=", "AwM= "),
        BODY.replace("Aw", "A-"),
    ],
)
def test_what_is_nearly_a_checkpoint_is_none(body):
    with pytest.raises(NoteMalformed):
        notes.parse_checkpoint(body)


@pytest.mark.parametrize("size", [0, 2**53 - 1])
def test_a_checkpoint_has_any_size(size):
    checkpoint = Checkpoint(NAME, size, b"\x00" * 32)

    assert notes.parse_checkpoint(str(checkpoint)) == checkpoint


@given(st.binary(max_size=80))
def test_base64_has_one_form(value):
    text = b64encode(value).decode()

    assert notes.decode(text) == value
    assert notes.encode(value) == text


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode()))
def test_whatever_comes_is_a_note_or_refused(content):
    try:
        note = notes.parse_note(content)
    except NoteMalformed:
        return
    assert str(note).encode() == content
