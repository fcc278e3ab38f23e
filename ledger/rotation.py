"""
Rotations of a book's signing key: the next key, and the word of the last one for it. Pure.

    {"retires": "<vkey>", "signature": "<base64>", "vkey": "<vkey>"}

The retired key signs `words_of` both (Ed25519, RFC 8032); only a lost key leaves the signature out,
and nobody who trusted that key then has a reason to trust the new one.
"""

from collections.abc import Collection, Mapping
from typing import Any

from ledger import notes
from ledger.notes import ED25519, Key, NoteMalformed, SignatureWrong

OPERATION = "KEY_ROTATION"
NAMES = {"retires", "vkey"}


class RotationFalse(ValueError):
    """An entry rotates no key, though it says so; what it does instead."""


def words_of(retired: str, vkey: str) -> str:
    """Return what a retired key signs for its successor; both are vkeys."""
    return f"almoner-key-rotation/v1\n{retired}\n{vkey}\n"


def nonce_of(vkey: str) -> str:
    """Return the nonce of the rotation to a key: there is one in a book."""
    return f"key:{notes.parse_key(vkey).id.hex()}"


def check_rotation(metadata: Mapping[str, Any], nonce: str, before: Collection[str]) -> None:
    """Raise `RotationFalse` for what cannot follow on the vkeys `before`, the last in force."""
    if metadata.keys() - {"signature"} != NAMES:
        raise RotationFalse("rotates the key in an unknown form")
    *_, in_force = before
    if metadata["retires"] != in_force:
        raise RotationFalse("retires a key that is not in force")
    if metadata["vkey"] in before:
        raise RotationFalse("brings back a key that was retired")
    try:
        _check_keys(metadata, nonce)
    except NoteMalformed as error:
        raise RotationFalse("names a key or a signature that cannot be read") from error
    except SignatureWrong as error:
        raise RotationFalse("has a signature that is not of the retired key") from error


def _check_keys(metadata: Mapping[str, Any], nonce: str) -> None:
    retired, key = _key(metadata["retires"]), _key(metadata["vkey"])
    if key.name != retired.name or nonce != nonce_of(str(key)):
        raise RotationFalse("names the new key otherwise than the old one")
    if "signature" in metadata:
        signature = notes.decode(str(metadata["signature"]))
        notes.check_signature(retired, words_of(str(retired), str(key)), signature)


def _key(vkey: Any) -> Key:
    key = notes.parse_key(str(vkey))
    if key.type != ED25519:
        raise NoteMalformed(f"{vkey!r} is no key of a log.")
    return key
