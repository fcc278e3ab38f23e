"""Signing keys: the public half as transparency logs write it, the private half encrypted."""

import pytest

from ledger import keys, notes
from ledger.errors import KeyLocked


def test_a_new_key_is_kept_encrypted_and_is_the_one_in_its_vkey():
    key = keys.make_key("ledger.example/log/org_1")

    private = keys.open_key(key.encrypted_seed)
    assert notes.parse_key(key.vkey) == notes.Key(
        "ledger.example/log/org_1", notes.ED25519, private.public_key().public_bytes_raw()
    )
    assert private.private_bytes_raw() not in key.encrypted_seed


def test_every_key_is_another():
    first, second = keys.make_key("a"), keys.make_key("a")

    assert first.vkey != second.vkey
    assert first.encrypted_seed != second.encrypted_seed


def test_a_key_that_was_stored_once_opens_for_ever(settings):
    settings.LEDGER_KEY_SECRET = "a secret of 2026"
    stored = (
        b"gAAAAABqsTuAshWwZvWf_jgjU5S5qTYnqqTL2FtdNqkBfcXXoeCnBi-4J1ha4nxZ_BBAPp-J9Z-DVom4kg7b6pe"
        b"A2kSzx_KHI_WshJ8cW2GDSUVYktuw2zzhKo3lzL9HRWLcwouHAC5S"
    )

    assert keys.open_key(stored).private_bytes_raw() == bytes([1]) * 32


def test_another_secret_opens_no_key(settings):
    key = keys.make_key("a")

    settings.LEDGER_KEY_SECRET = "another secret"

    with pytest.raises(KeyLocked, match="LEDGER_KEY_SECRET"):
        keys.open_key(key.encrypted_seed)
