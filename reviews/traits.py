"""What visitors are told apart by: keyed hashes, from which nobody reads who they are."""

import hashlib
import hmac
import unicodedata

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

KEY_LENGTH = 32


def key_of(kind: str, value: str) -> str:
    """Return the keyed hash of a trait (32 hexadecimal digits); of an empty one, nothing."""
    folded = unicodedata.normalize("NFKC", value).strip().casefold()
    if not folded:
        return ""
    named = f"{kind}\n{folded}".encode()
    return hmac.new(_secret(), named, hashlib.sha256).hexdigest()[:KEY_LENGTH]


def _secret() -> bytes:
    # The session's secret may change any day; what is counted over weeks must not.
    kdf = HKDF(SHA256(), 32, salt=None, info=b"almoner.reviews.traits")
    return kdf.derive(force_bytes(settings.LEDGER_KEY_SECRET))
