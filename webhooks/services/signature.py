"""
Whether a message is Stripe's: its signature over the raw bytes, and its age.

https://docs.stripe.com/webhooks#verify-manually
"""

import hmac
import time

from django.conf import settings

from webhooks.errors import InvalidSignature

TOLERANCE_SECONDS = 300
HEADER_MAX = 4_096


def verify(body: bytes, header: str | None) -> None:
    """
    Raise `InvalidSignature` unless one of our secrets signed these bytes within five minutes.

    During a rotation there are two secrets, and Stripe signs with both.
    """
    if not header:
        raise InvalidSignature("The header Stripe-Signature is missing.")
    if not header.isascii() or len(header) > HEADER_MAX:
        raise InvalidSignature("The header Stripe-Signature is malformed.")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise InvalidSignature("The body is not UTF-8.") from error
    timestamp, signatures = _said(header)
    signed = b"%d.%b" % (timestamp, body)
    if not any(_is_signed(signed, signatures, each) for each in settings.STRIPE_WEBHOOK_SECRETS):
        raise InvalidSignature
    if abs(int(time.time()) - timestamp) > TOLERANCE_SECONDS:
        raise InvalidSignature("The signature is too old, or from the future.")


def _said(header: str) -> tuple[int, list[str]]:
    """Return the first `t` of a header and every `v1`, as Stripe's own library reads them."""
    fields = [part.split("=") for part in header.split(",")]
    try:
        timestamps = [values[0] for name, *values in fields if name == "t"]
        return int(timestamps[0]), [values[0] for name, *values in fields if name == "v1"]
    except (IndexError, ValueError) as error:
        raise InvalidSignature from error


def _is_signed(signed: bytes, signatures: list[str], secret: str) -> bool:
    if not secret.strip():
        return False
    expected = hmac.digest(secret.encode(), signed, "sha256").hex()
    return any(hmac.compare_digest(expected, signature) for signature in signatures)
