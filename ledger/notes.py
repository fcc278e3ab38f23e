"""
Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

Pure: bytes in, bytes out. A key's name and id say which signature is whose; signatures of keys that
nobody asked about are passed over, a wrong one of a known key spoils the whole note.
https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.merkle import HASH_BYTES

ED25519, COSIGNATURE = 0x01, 0x04
ID_BYTES, KEY_BYTES, TIME_BYTES, SIGNATURE_BYTES = 4, 32, 8, 64
# What Go's note package takes; the specification asks for 16 signatures at least.
NOTE_BYTES_MAX, SIGNATURES_MAX = 1_000_000, 100
SIZE_MAX, TIME_MAX = 2**53 - 1, 2**63 - 1
SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f]")
NAME = re.compile(r"[^\s+]+\Z")
CHECKPOINT = re.compile(r"(.+)\n(.+)\n(.+)\n\Z")
SIGNATURE = re.compile(r"— (\S+) (\S+)\Z")


class NoteMalformed(ValueError):
    """Not a note, a checkpoint or a key as the specifications have it."""


class SignatureWrong(ValueError):
    """A known key did not sign this."""


class Key(NamedTuple):
    """What checks signatures: a log's key signs notes, a witness' key cosigns checkpoints."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Return the four bytes that stand before each of its signatures."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def __str__(self) -> str:
        """Return the verifier key: `<name>+<key id>+<base64 of type and public key>`."""
        return f"{self.name}+{self.id.hex()}+{encode(bytes([self.type]) + self.public)}"


class Signature(NamedTuple):
    """One signature line of a note."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """Return the line, without its end."""
        return f"— {self.name} {encode(self.key_id + self.signature)}"

    def is_of(self, key: Key) -> bool:
        """Tell whether it says that a key made it."""
        return (self.name, self.key_id) == (key.name, key.id)


class Note(NamedTuple):
    """A text, which ends in a line end, and who says to have signed it."""

    text: str
    signatures: Sequence[Signature]

    def __str__(self) -> str:
        """Return the note as it is published."""
        return f"{self.text}\n" + "".join(f"{signature}\n" for signature in self.signatures)

    def signed_by(self, keys: Collection[Key]) -> dict[Key, int]:
        """
        Return which of the keys signed it: those of witnesses with the Unix time, others with 0.

        Raises `SignatureWrong` when one of them did not, though its name and id stand there.
        """
        return {
            key: check_signature(key, self.text, signature.signature)
            for key in keys
            for signature in self.signatures
            if signature.is_of(key)
        }


class Checkpoint(NamedTuple):
    """What a log says of itself: its name, its size and the root of its tree."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


def encode(value: bytes) -> str:
    """Return bytes in base64 (RFC 4648 §4)."""
    return b64encode(value).decode()


def decode(text: str) -> bytes:
    """Return the bytes that base64 stands for. Raises `NoteMalformed` for all but the one form."""
    try:
        value = b64decode(text, validate=True)
    except ValueError as error:
        raise NoteMalformed(f"{text!r} is not base64.") from error
    if encode(value) != text:
        raise NoteMalformed(f"{text!r} is not base64 in its one canonical form.")
    return value


def decode_hash(text: str) -> bytes:
    """Return the hash that base64 stands for. Raises `NoteMalformed`."""
    value = decode(text)
    if len(value) != HASH_BYTES:
        raise NoteMalformed(f"{text!r} is no hash of {HASH_BYTES} bytes.")
    return value


def decode_size(text: str) -> int:
    """Return the number that decimal digits stand for. Raises `NoteMalformed`."""
    if not SIZE.match(text) or int(text) > SIZE_MAX:
        raise NoteMalformed(f"{text!r} is no size.")
    return int(text)


def parse_key(vkey: str) -> Key:
    """Return the key of a vkey. Raises `NoteMalformed`."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = decode(encoded)
    if not NAME.match(name) or len(material) != 1 + KEY_BYTES:
        raise NoteMalformed(f"{vkey!r} is no verifier key.")
    key = Key(name, material[0], material[1:])
    if key.type not in (ED25519, COSIGNATURE) or key.id.hex() != key_id:
        raise NoteMalformed(f"{vkey!r} is no verifier key of Ed25519.")
    return key


def parse_note(content: bytes) -> Note:
    """Return a note, whoever signed it. Raises `NoteMalformed`."""
    if len(content) > NOTE_BYTES_MAX:
        raise NoteMalformed("The note is longer than 1,000,000 bytes.")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise NoteMalformed("The note is not UTF-8.") from error
    if CONTROLS.search(text):
        raise NoteMalformed("The note has control characters.")
    body, separator, signatures = text.rpartition("\n\n")
    lines = signatures.split("\n")
    if not body or not separator or lines.pop() or not 1 <= len(lines) <= SIGNATURES_MAX:
        raise NoteMalformed("The note is not a text, an empty line and signatures.")
    return Note(f"{body}\n", [parse_signature(line) for line in lines])


def parse_signature(line: str) -> Signature:
    """Return a signature line, whoever made it. Raises `NoteMalformed`."""
    match = SIGNATURE.match(line)
    if not match or not NAME.match(match[1]):
        raise NoteMalformed(f"{line!r} is no signature line.")
    value = decode(match[2])
    if len(value) <= ID_BYTES:
        raise NoteMalformed(f"{line!r} has no signature.")
    return Signature(match[1], value[:ID_BYTES], value[ID_BYTES:])


def parse_checkpoint(text: str) -> Checkpoint:
    """Return what the text of a note says of a log. Raises `NoteMalformed`."""
    match = CHECKPOINT.match(text)
    if not match:
        raise NoteMalformed("A checkpoint is an origin, a size and a root, each in its line.")
    return Checkpoint(match[1], decode_size(match[2]), decode_hash(match[3]))


def sign(private: Ed25519PrivateKey, name: str, text: str) -> Signature:
    """Return a log's signature of a text."""
    return Signature(name, _id_of(private, name, ED25519), private.sign(text.encode()))


def cosign(private: Ed25519PrivateKey, name: str, text: str, *, unix_time: int) -> Signature:
    """Return a witness' signature: that at this time it knew nothing newer of the log."""
    signature = private.sign(_cosigned(text, unix_time))
    stamped = unix_time.to_bytes(TIME_BYTES) + signature
    return Signature(name, _id_of(private, name, COSIGNATURE), stamped)


def check_signature(key: Key, text: str, signature: bytes) -> int:
    """Return when a witness' key signed a text, 0 for others. Raises `SignatureWrong`."""
    time, message = 0, text.encode()
    if key.type == COSIGNATURE:
        time = int.from_bytes(signature[:TIME_BYTES])
        message, signature = _cosigned(text, time), signature[TIME_BYTES:]
    try:
        if len(signature) != SIGNATURE_BYTES or time > TIME_MAX:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except InvalidSignature as error:
        raise SignatureWrong(f"{key.name} did not sign this.") from error
    return time


def _cosigned(text: str, unix_time: int) -> bytes:
    return f"cosignature/v1\ntime {unix_time}\n{text}".encode()


def _id_of(private: Ed25519PrivateKey, name: str, type: int) -> bytes:
    return Key(name, type, private.public_key().public_bytes_raw()).id
