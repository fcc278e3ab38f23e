"""The browser's modules and the command read notes alike, and take the same signatures for good."""

import base64
from hashlib import sha512

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.verifier.signed_corpus import BODY, LINES, NOTE
from tests.verifier.signing import (
    VKEY,
    WITNESS_VKEYS,
    cosigned,
    note_of,
    public_of,
    receipt_of,
    signed,
)
from tests.verifier.test_books import QUICK
from verifier import almoner_verify
from verifier.almoner_verify import BASE, ORDER, added, encoded_point, multiplied

BATCHES = settings(QUICK, max_examples=8)


def told(checkpoint):
    origin, size, root, text, signatures = checkpoint
    signed_by = [[name, key_id.hex(), value.hex()] for name, key_id, value in signatures]
    return [origin, size, root.hex(), text, signed_by]


def key(content):
    key = almoner_verify.read_key(content.decode())
    return [key.name, key.type, key.public.hex()]


def checkpoint(content):
    return told(almoner_verify.read_checkpoint(content))


def receipt(content):
    read = almoner_verify.read_receipt(content)
    return [read.line.hex(), read.place, [step.hex() for step in read.path], told(read.checkpoint)]


READ = {
    "key": key,
    "checkpoint": checkpoint,
    "receipt": receipt,
    "signature": almoner_verify.is_signature,
}


def result_of(what, *parts):
    try:
        return READ[what](*parts)
    except almoner_verify.Malformed:
        return None


def assert_both_agree(node, inputs):
    sent = [[what, *(base64.b64encode(part).decode() for part in parts)] for what, *parts in inputs]

    for given_input, answer in zip(inputs, node("run_notes.mjs", sent), strict=True):
        assert answer == result_of(*given_input), given_input


COSIGNED = note_of(BODY, signed(BODY), cosigned(BODY, 0), cosigned(BODY, 1))
GOOD = [
    *(("key", vkey) for vkey in (VKEY, *WITNESS_VKEYS)),
    *(("checkpoint", note) for note in (NOTE, COSIGNED)),
    *(("receipt", receipt_of(LINES, place, COSIGNED)) for place in (0, 3, 5)),
]
GOOD_FILES = [(what, text) for what, text in GOOD if what != "key"]
# Each means something in these formats, or is a space or a line end to somebody.
PIECES = [
    "\n", "\n\n", "\r", "\r\n", " ", "+", "/", "=", "==", "_", "-", "—", "— ", "0", "6", "\t", "\0",
    "\x0b", "\x1c", "\x1f", "\x7f", "\x85", "\xa0", "\u1680", "\u180e", "\u200b", "\u2028",
    "\u2029", "\u3000", "\ufeff", "é", "e\u0301", "\U0001d7de", "A", "AAAA", "index ", "extra ",
]  # fmt: skip
PLACES = st.integers(0, 2000)
ALTERATIONS = st.tuples(PLACES, st.integers(0, 3), st.sampled_from(["", *PIECES]))


def altered(text, alterations):
    """Put something in the place of some characters, each time."""
    for place, count, piece in alterations:
        start = place % (len(text) + 1)
        text = text[:start] + piece + text[start + count :]
    return text.encode()


def of_bytes(content, place, byte):
    return content[: place % len(content)] + bytes([byte]) + content[place % len(content) + 1 :]


TEXTS = st.tuples(st.sampled_from(GOOD), st.lists(ALTERATIONS, max_size=2))
RAW = st.tuples(st.sampled_from(GOOD_FILES), PLACES, st.integers(0, 255))
ANY = st.tuples(st.sampled_from(["key", "checkpoint", "receipt"]), st.text(max_size=60))


@given(
    st.lists(TEXTS, min_size=60, max_size=60),
    st.lists(RAW, min_size=20, max_size=20),
    st.lists(ANY, min_size=10, max_size=10),
)
@BATCHES
def test_notes_are_read_alike(node, texts, raw, others):
    inputs = [(what, text.encode()) for what, text in GOOD]
    inputs += [(what, altered(text, alterations)) for (what, text), alterations in texts]
    inputs += [(what, of_bytes(text.encode(), *change)) for (what, text), *change in raw]
    inputs += [(what, text.encode("utf-8", "replace")) for what, text in others]

    assert_both_agree(node, inputs)


@given(
    st.lists(
        st.tuples(st.binary(min_size=32, max_size=32), st.binary(max_size=99), PLACES, PLACES),
        min_size=10,
        max_size=10,
    )
)
@BATCHES
def test_signatures_are_judged_alike(node, attempts):
    inputs = []
    for seed, message, place, byte in attempts:
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public, signature = public_of(private), private.sign(message)
        inputs += [
            ("signature", public, message, signature),
            ("signature", public, message + b"x", signature),
            ("signature", of_bytes(public, place, byte % 256), message, signature),
            ("signature", public, message, of_bytes(signature, place, byte % 256)),
            ("signature", public, message, signature[: place % 64]),
            ("signature", seed, message, signature),
        ]

    assert_both_agree(node, inputs)


# A point of order 8: what it adds is lost on who multiplies by the cofactor.
TORSION = almoner_verify.decoded_point(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
)
SECRET, NONCE = 12_345, 67_890


def mixed(key_times, nonce_times, message):
    """Return a signature whose key and nonce have a part of small order."""
    own = added(multiplied(BASE, SECRET), multiplied(TORSION, key_times))
    start = added(multiplied(BASE, NONCE), multiplied(TORSION, nonce_times))
    return ("signature", encoded_point(own), message, *signature_of(own, start, SECRET, message))


def small(times, message):
    """Return a signature of a key that is itself of small order."""
    own = multiplied(TORSION, times)
    return (
        "signature", encoded_point(own), message,
        *signature_of(own, multiplied(BASE, NONCE), 0, message),
    )  # fmt: skip


def signature_of(own, start, secret, message):
    beginning = encoded_point(start)
    digest = sha512(beginning + encoded_point(own) + message).digest()
    scalar = (NONCE + int.from_bytes(digest, "little") * secret) % ORDER
    yield beginning + scalar.to_bytes(32, "little")


def test_signatures_of_small_order_are_judged_alike(node):
    messages = [bytes([number]) for number in range(12)]
    inputs = [
        *(mixed(*times, message) for times in ((0, 1), (1, 0), (4, 4)) for message in messages),
        *(small(times, message) for times in (0, 1, 2, 4) for message in messages),
    ]

    assert {result_of(*given_input) for given_input in inputs} == {True, False}
    assert_both_agree(node, inputs)


def test_scalars_and_points_have_one_encoding(node):
    private = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
    public, signature = public_of(private), private.sign(b"")
    again = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    prime = almoner_verify.PRIME
    points = [number.to_bytes(32, "little") for number in (0, 1, 2, prime, prime + 1, 1 + 2**255)]

    assert_both_agree(
        node,
        [
            ("signature", public, b"", signature[:32] + again),
            *(("signature", point, b"", signature) for point in points),
            *(("signature", public, b"", point + bytes(32)) for point in points),
            *(("signature", point, b"", point + bytes(32)) for point in points),
        ],
    )
