"""Signing keys: the public half as transparency logs write it, the private half encrypted."""

from base64 import b64decode

import pytest
from cryptography.fernet import InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import keys


def test_a_vkey_is_written_as_c2sp_says():
    public = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32).public_key().public_bytes_raw()

    assert keys.vkey_of("ledger.example/org/acme", public) == (
        "ledger.example/org/acme+ad9a938f+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
    )


def test_a_new_key_is_kept_encrypted_and_is_the_one_in_its_vkey():
    key = keys.make_key("ledger.example/log/org_1")

    seed = keys._vault().decrypt(key.encrypted_seed)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    name, _, encoded = key.vkey.split("+", 2)
    assert name == "ledger.example/log/org_1"
    assert b64decode(encoded) == b"\x01" + public
    assert key.vkey == keys.vkey_of(name, public)
    assert seed not in key.encrypted_seed


def test_every_key_is_another():
    first, second = keys.make_key("a"), keys.make_key("a")

    assert first.vkey != second.vkey
    assert first.encrypted_seed != second.encrypted_seed


def test_another_secret_opens_no_key(settings):
    key = keys.make_key("a")

    settings.LEDGER_KEY_SECRET = "another secret"

    with pytest.raises(InvalidToken):
        keys._vault().decrypt(key.encrypted_seed)
