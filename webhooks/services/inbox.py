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
from organisations.models import Organisation
from webhooks.errors import AddressRefused, InvalidEvent
from webhooks.models import StripeEvent
from webhooks.services.signature import verify

logger = logging.getLogger("almoner.webhooks")
DEPTH_MAX = 32
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
    is_thin: bool


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
    except DomainError as error:
        facts = {"outcome": error.code, "reason": str(error), "size": len(body)}
        logger.warning("webhook refused", extra=facts)
        raise
    organisation, note = addressee_of(envelope)
    is_new = _store(envelope, organisation, note, payload)
    facts = {"outcome": "stored" if is_new else "seen_before", "reason": note or "verified"}
    logger.info("webhook accepted", extra={**facts, "id": envelope.id, "type": envelope.type})
    return is_new


def _check_address(address: str) -> None:
    allowed = settings.STRIPE_WEBHOOK_ALLOWED_IPS
    if allowed and not any(ip_address(address) in ip_network(network) for network in allowed):
        raise AddressRefused


def _parse(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidEvent("The body is not JSON, or names a key twice.") from error
    if not isinstance(payload, dict):
        raise InvalidEvent("The body is not a JSON object.")
    _check_depth_and_text(payload, 0)
    return payload


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice")
    return {key: value for key, value in pairs if key not in SECRET_FIELDS}


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _check_depth_and_text(value: Any, depth: int) -> None:
    # What PostgreSQL cannot store as jsonb: NUL and lone surrogates.
    if depth > DEPTH_MAX:
        raise InvalidEvent("The body is nested too deeply.")
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise InvalidEvent("The body has a character that no text may have.")
    elif isinstance(value, list):
        for item in value:
            _check_depth_and_text(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_depth_and_text(key, depth)
            _check_depth_and_text(item, depth + 1)


def _envelope(payload: dict[str, Any]) -> Envelope:
    is_thin = payload.get("object") == "v2.core.event"
    if not is_thin and payload.get("object") != "event":
        raise InvalidEvent("The body is not an event.")
    livemode = payload.get("livemode")
    if not isinstance(livemode, bool):
        raise InvalidEvent("The event does not say its livemode.")
    if not is_thin and not isinstance((payload.get("data") or {}).get("object"), dict):
        raise InvalidEvent("The event has no object.")
    return Envelope(
        id=_text(payload, "id"),
        type=_text(payload, "type"),
        account=_text(payload, "context" if is_thin else "account", default=""),
        livemode=livemode,
        occurred_at=None if is_thin else _moment(payload.get("created")),
        is_thin=is_thin,
    )


def _text(payload: dict[str, Any], name: str, default: str | None = None) -> str:
    value = payload.get(name) or default
    if not isinstance(value, str) or len(value) > TEXT_MAX or (default is None and not value):
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


def _store(
    envelope: Envelope, organisation: Organisation | None, note: str, payload: dict[str, Any]
) -> bool:
    now = timezone.now()
    status = StripeEvent.Status.PENDING if organisation else StripeEvent.Status.IGNORED
    with connection.cursor() as cursor:
        cursor.execute(
            INSERT,
            [
                envelope.id, organisation.id if organisation else None, envelope.account,
                envelope.type, envelope.livemode, envelope.occurred_at, json.dumps(payload), now,
                status, now, note,
            ],  # fmt: skip
        )
        return cursor.rowcount == 1
