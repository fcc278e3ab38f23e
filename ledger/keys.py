"""
The signing key of an organisation's log: Ed25519, encrypted at rest.

A `vkey` is the public half as transparency logs write it: name, key id and key
(C2SP signed-note, https://c2sp.org/signed-note).
"""

from base64 import b64encode, urlsafe_b64encode
from hashlib import sha256
from typing import NamedTuple

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

ED25519 = b"\x01"


class NewKey(NamedTuple):
    """A fresh key: what everybody may know, and the seed as it is stored."""

    vkey: str
    encrypted_seed: bytes


def vkey_of(name: str, public_key: bytes) -> str:
    """Return the verifier key `<name>+<key id>+<base64 of type and public key>`."""
    key_id = sha256(name.encode() + b"\n" + ED25519 + public_key).digest()[:4]
    return f"{name}+{key_id.hex()}+{b64encode(ED25519 + public_key).decode()}"


def make_key(name: str) -> NewKey:
    """Make the key that will sign the checkpoints of the log with this origin."""
    private = Ed25519PrivateKey.generate()
    return NewKey(
        vkey=vkey_of(name, private.public_key().public_bytes_raw()),
        encrypted_seed=_vault().encrypt(private.private_bytes_raw()),
    )


def _vault() -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"almoner ledger keys v1")
    return Fernet(urlsafe_b64encode(derived.derive(settings.LEDGER_KEY_SECRET.encode())))
