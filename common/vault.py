"""Encryption at rest: what is stored is opened by this instance's secrets alone."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


def vault(purpose: str, secrets: Sequence[str | bytes] = ()) -> MultiFernet:
    """
    Return what encrypts and opens what is kept for one purpose; the purpose's name never changes.

    It locks with the first of the secrets and opens with each; without any, with the ledger's.
    """
    return MultiFernet([_lock(purpose, key) for key in secrets or [settings.LEDGER_KEY_SECRET]])


def _lock(purpose: str, secret: str | bytes) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=purpose.encode())
    return Fernet(urlsafe_b64encode(derived.derive(force_bytes(secret))))
