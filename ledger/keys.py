"""
The signing key of an organisation's log: Ed25519, encrypted at rest.

A `vkey` is the public half as transparency logs write it: name, key id and key
(C2SP signed-note, https://c2sp.org/signed-note).
"""

from base64 import urlsafe_b64encode
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from ledger.errors import KeyLocked
from ledger.notes import ED25519, Key


class NewKey(NamedTuple):
    """A fresh key: what everybody may know, and the seed as it is stored."""

    vkey: str
    encrypted_seed: bytes


def make_key(name: str) -> NewKey:
    """Make the key that will sign the checkpoints of the log with this origin."""
    private = Ed25519PrivateKey.generate()
    return NewKey(
        vkey=str(Key(name, ED25519, private.public_key().public_bytes_raw())),
        encrypted_seed=_vault().encrypt(private.private_bytes_raw()),
    )


def open_key(encrypted_seed: bytes) -> Ed25519PrivateKey:
    """Return a stored key. Raises `KeyLocked` when it was encrypted with another secret."""
    try:
        return Ed25519PrivateKey.from_private_bytes(_vault().decrypt(encrypted_seed))
    except InvalidToken as error:
        raise KeyLocked from error


def _vault() -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"almoner ledger keys v1")
    return Fernet(urlsafe_b64encode(derived.derive(settings.LEDGER_KEY_SECRET.encode())))
