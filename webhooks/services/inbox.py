"""The inbox: a message comes in, is verified and checked, and becomes one row."""

import json
import logging
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone

from common.errors import DomainError
from common.strict_json import JsonMalformed, parse
from organisations.models import Organisation
from webhooks.errors import AddressRefused, InvalidEvent
from webhooks.models import StripeEvent
from webhooks.services.signature import verify

logger = logging.getLogger("almoner.webhooks")
TEXT_MAX = 255
SECRET_FIELDS = frozenset({"client_secret"})
INSERT = """
    INSERT INTO webhooks_stripeevent (
        id, organisation_id, account, type, livemode, occurred_at, payload, received_at,
        status, attempts, next_attempt_at, note
    ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 0, %s, %s)
    ON CONFLICT (id) DO NOTHING
"""


class Envelope(NamedTuple):
    """What every event says of itself, whatever it is about."""

    id: str
    type: str
    account: str
    livemode: bool
    occurred_at: datetime | None


def receive(*, body: bytes, signature: str | None, address: str) -> bool:
    """
    Take in one message; return False when the event was there before.

    Raises `AddressRefused`, `InvalidSignature`, `InvalidEvent`; then no row was written. Logs
    each outcome with its reason, never the body.
    """
    try:
        _check_address(address)
        verify(body, signature)
        payload = _parse(body)
        envelope = _envelope(payload)
        kept = _kept(payload)
    except DomainError as error:
        note_refusal(error, size=len(body))
        raise
    organisation, note = addressee_of(envelope)
    is_new = _store(envelope, organisation, note, kept)
    facts = {"outcome": "stored" if is_new else "seen_before", "reason": note or "verified"}
    logger.info("webhook accepted", extra={**facts, "id": envelope.id, "type": envelope.type})
    return is_new


def note_refusal(error: DomainError, *, size: int) -> None:
    """Log that a message was refused and why, never what was in it."""
    facts = {"outcome": error.code, "reason": str(error), "size": size}
    logger.warning("webhook refused", extra=facts)


def _check_address(address: str) -> None:
    allowed = settings.STRIPE_WEBHOOK_ALLOWED_IPS
    if not allowed:
        return
    try:
        sender = ip_address(address)
    except ValueError as error:  # a unix socket has none
        raise AddressRefused from error
    if not any(sender in ip_network(network) for network in allowed):
        raise AddressRefused


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = parse(body)
    except JsonMalformed as error:
        raise InvalidEvent(f"The body cannot be read: {error}.") from error
    if not isinstance(payload, dict):
        raise InvalidEvent("The body is not a JSON object.")
    return payload


def _kept(payload: dict[str, Any]) -> str:
    try:
        return json.dumps(_without_secrets(payload), allow_nan=False)
    except ValueError as error:
        raise InvalidEvent("The body has a number that is too large.") from error


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        items = value.items()
        return {name: _without_secrets(item) for name, item in items if name not in SECRET_FIELDS}
    return value


def _envelope(payload: dict[str, Any]) -> Envelope:
    is_thin = payload.get("object") == "v2.core.event"
    if not is_thin and payload.get("object") != "event":
        raise InvalidEvent("The body is not an event.")
    livemode = payload.get("livemode")
    if not isinstance(livemode, bool):
        raise InvalidEvent("The event does not say its livemode.")
    told = payload.get("data")
    if not is_thin and not (isinstance(told, dict) and isinstance(told.get("object"), dict)):
        raise InvalidEvent("The event has no object.")
    return Envelope(
        id=_text(payload, "id"),
        type=_text(payload, "type"),
        account=_text(payload, "context" if is_thin else "account", default=""),
        livemode=livemode,
        occurred_at=None if is_thin else _moment(payload.get("created")),
    )


def _text(payload: dict[str, Any], name: str, default: str | None = None) -> str:
    value = payload.get(name) or default
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise InvalidEvent(f"The event has no proper {name}.")
    return value


def _moment(created: object) -> datetime:
    if type(created) is not int or not 0 <= created < 2**32:
        raise InvalidEvent("The event does not say when it was created.")
    return datetime.fromtimestamp(created, UTC)


def addressee_of(envelope: "Envelope | StripeEvent") -> tuple[Organisation | None, str]:
    """Return whose event it is, or why nothing will be booked for it."""
    if envelope.livemode != settings.STRIPE_LIVEMODE:
        return None, "livemode is not ours"
    if envelope.occurred_at is None:
        return None, "thin event"
    if not envelope.account:
        return None, "of the platform's own account"
    organisation = Organisation.objects.filter(stripe_account=envelope.account).first()
    if organisation is None:
        return None, "unknown account"
    if not organisation.is_public:
        return None, "organisation is not approved"
    return organisation, ""


def _store(envelope: Envelope, organisation: Organisation | None, note: str, kept: str) -> bool:
    now = timezone.now()
    status = StripeEvent.Status.PENDING if organisation else StripeEvent.Status.IGNORED
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                envelope.id,
                organisation.id if organisation else None,
                envelope.account,
                envelope.type,
                envelope.livemode,
                envelope.occurred_at,
                kept,
                now,
                status,
                now,
                note,
            ],
        )
        return bool(cursor.rowcount)
