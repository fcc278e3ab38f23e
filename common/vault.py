"""Encryption at rest: what is stored is opened by this instance's secret alone."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def vault(purpose: str) -> Fernet:
    """Return what encrypts and opens the secrets of one purpose; they never change it."""
    derived = HKDF(SHA256(), 32, salt=None, info=purpose.encode())
    return Fernet(urlsafe_b64encode(derived.derive(settings.LEDGER_KEY_SECRET.encode())))
