"""
Whether a message is Stripe's: its signature over the raw bytes, and its age.

https://docs.stripe.com/webhooks#verify-manually
"""

import time

import stripe
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
        # The library compares text, and raises TypeError for what is not ASCII.
        raise InvalidSignature("The header Stripe-Signature is malformed.")
    try:
        payload = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidSignature("The body is not UTF-8.") from error
    if not any(_is_signed(payload, header, secret) for secret in settings.STRIPE_WEBHOOK_SECRETS):
        raise InvalidSignature
    if abs(int(time.time()) - _timestamp(header)) > TOLERANCE_SECONDS:
        raise InvalidSignature("The signature is too old, or from the future.")


def _is_signed(payload: str, header: str, secret: str) -> bool:
    try:
        return bool(stripe.WebhookSignature.verify_header(payload, header, secret))
    except stripe.SignatureVerificationError:
        return False


def _timestamp(header: str) -> int:
    # The first `t`, split as the library splits it; it has verified that there is one.
    fields = (part.split("=") for part in header.split(","))
    return int(next(values[0] for name, *values in fields if name == "t"))
