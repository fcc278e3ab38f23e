"""The way to Stripe: one client, its errors turned into ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import stripe
from django.conf import settings

from common.errors import DomainError, TryAgainLater

if TYPE_CHECKING:
    from stripe._base_address import BaseAddresses

VERSION = "2026-10-28.endive"
CONNECT_SECONDS, READ_SECONDS = 3.05, 10.0
RETRIES_MAX = 1
logger = logging.getLogger("almoner.stripe")


class StripeRefused(DomainError):
    """Stripe refused the request; nothing was changed."""

    code = "stripe_refused"
    status = 502


@cache
def client() -> stripe.StripeClient:
    """Return the client of this process: pinned version, short timeouts, no telemetry."""
    stripe.enable_telemetry = False
    base = settings.STRIPE_API_BASE
    addresses: BaseAddresses = {"api": base, "connect": base} if base else {}
    return stripe.StripeClient(
        settings.STRIPE_SECRET_KEY,
        stripe_version=VERSION,
        base_addresses=addresses,
        client_id=settings.STRIPE_CLIENT_ID or None,
        max_network_retries=RETRIES_MAX,
        http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
    )


def on_account(account: str, idempotency_key: str = "") -> stripe.RequestOptions:
    """Return the options of a call on a connected account; every call but a few has them."""
    options: stripe.RequestOptions = {"stripe_account": account}
    if idempotency_key:
        options["idempotency_key"] = idempotency_key
    return options


@contextmanager
def translated_errors(account: str) -> Iterator[None]:
    """
    Raise `TryAgainLater` when Stripe does not answer, `StripeRefused` when it says no.

    Logs why, without what was sent: it may name persons.
    """
    try:
        yield
    except stripe.StripeError as error:
        # Of a 403 the library keeps the code in its body alone.
        code = error.code or (error.error and error.error.code)
        facts = {
            "account": account,
            "status": error.http_status,
            "error_code": code,
            "request_id": error.request_id,
        }
        logger.warning("stripe refused or failed", extra=facts)
        if is_passing(error):
            raise TryAgainLater(
                "Stripe does not answer at the moment; nothing was lost. Try again in a minute."
            ) from error
        raise StripeRefused(f"Stripe refused: {code or type(error).__name__}.") from error


def is_without_access(error: Exception) -> bool:
    """Tell whether Stripe refused because the account is closed to us: its owner said so."""
    cause = error.__cause__
    refusal = cause.error if isinstance(cause, stripe.PermissionError) else None
    return bool(refusal and refusal.code == "account_invalid")


def is_passing(error: stripe.StripeError) -> bool:
    """
    Tell whether the same request may succeed later: outages and limits, not refusals.

    An answer that breaks off has the status 200, and is none.
    """
    status = error.http_status
    return status is None or status in {409, 429} or not 400 <= status < 500  # noqa: PLR2004 - HTTP
