"""
The signing key of an organisation's log: Ed25519, encrypted at rest.

A `vkey` is the public half as transparency logs write it: name, key id and key
(C2SP signed-note, https://c2sp.org/signed-note).
"""

from typing import NamedTuple

from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from common.vault import vault
from ledger.errors import KeyLocked
from ledger.notes import ED25519, Key

PURPOSE = "almoner ledger keys v1"


class NewKey(NamedTuple):
    """A fresh key: what everybody may know, and the seed as it is stored."""

    vkey: str
    encrypted_seed: bytes


def make_key(name: str) -> NewKey:
    """Make the key that will sign the checkpoints of the log with this origin."""
    private = Ed25519PrivateKey.generate()
    return NewKey(
        vkey=str(Key(name, ED25519, private.public_key().public_bytes_raw())),
        encrypted_seed=vault(PURPOSE).encrypt(private.private_bytes_raw()),
    )


def open_key(encrypted_seed: bytes) -> Ed25519PrivateKey:
    """Return a stored key. Raises `KeyLocked` when it was encrypted with another secret."""
    try:
        return Ed25519PrivateKey.from_private_bytes(vault(PURPOSE).decrypt(encrypted_seed))
    except InvalidToken as error:
        raise KeyLocked from error
