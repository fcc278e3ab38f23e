"""
Owners in URLs: the id is encrypted, so that no address and no access log names anybody.

The same owner has the same handle (AES-SIV, RFC 5297), within one book and for one SECRET_KEY.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from credits.models import Owner
from organisations.models import Organisation

KEY_BYTES = 64


class HandleUnknown(ValueError):
    """No handle of an owner in this book."""


def handle_of(owner: Owner) -> str:
    """Return what stands for an owner in a URL: letters, digits, - and _."""
    sealed = _cipher().encrypt(owner.id.encode(), _place(owner.organisation, owner.book))
    return urlsafe_b64encode(sealed).decode().rstrip("=")


def owner_of(handle: str, organisation: Organisation, book: str) -> Owner:
    """Return the owner that a handle stands for. Raises `HandleUnknown`."""
    try:
        sealed = urlsafe_b64decode(handle + "==")  # padding that is not needed is passed over
        owner_id = _cipher().decrypt(sealed, _place(organisation, book)).decode()
    except (ValueError, InvalidTag) as error:
        raise HandleUnknown from error
    return Owner(organisation, book, owner_id)


def _place(organisation: Organisation, book: str) -> list[bytes]:
    return [organisation.id.encode(), book.encode()]


def _cipher() -> AESSIV:
    derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"almoner owner handles v1")
    return AESSIV(derived.derive(settings.SECRET_KEY.encode()))
