"""The inbox: a message comes in, is verified and checked, and becomes one row."""

import json
import logging
import re
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone
from psycopg import Cursor

from common.errors import DomainError
from common.strict_json import JsonMalformed, parse
from ledger.services.retrying import retried
from webhooks.errors import AddressRefused, InvalidEvent
from webhooks.models import StripeEvent
from webhooks.services.signature import verify

logger = logging.getLogger("almoner.webhooks")
TEXT_MAX = 255
SECRET_FIELDS = frozenset({"client_secret"})
# Where the bytes have neither its name nor an escape that may spell it, there is none.
SECRET_OR_ESCAPED = re.compile(rb"client_secret|\\u")
AS_JSON = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
ADDRESSEE = "SELECT organisation, note FROM webhooks_addressee_v2(%s, %s, %s)"
TAKE_IN = """
    SELECT webhooks_take_in_v2(
        %(id)s, %(account)s, %(type)s, %(livemode)s, %(occurred_at)s, %(payload)s, %(now)s,
        %(note)s
    )
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
        if SECRET_OR_ESCAPED.search(body):
            _forget_secrets(payload)
        kept = _kept(payload)
    except DomainError as error:
        note_refusal(error, size=len(body))
        raise
    note = _store(envelope, kept)
    is_new = note is not None
    facts = {"outcome": "stored" if is_new else "seen_before", "reason": note or "verified"}
    logger.info("webhook accepted", extra={**facts, "id": envelope.id, "type": envelope.type})
    return is_new


def take_in(payload: dict[str, Any]) -> bool:
    """
    Take in an event that Stripe's API told; return False when it was there before.

    Raises `InvalidEvent`.
    """
    _forget_secrets(payload)
    return _store(_envelope(payload), _kept(payload)) is not None


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


def _forget_secrets(value: dict[str, Any] | list[Any]) -> None:
    if isinstance(value, dict):
        for name in SECRET_FIELDS & value.keys():
            del value[name]
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, dict | list):
            _forget_secrets(item)


def _kept(payload: dict[str, Any]) -> str:
    try:
        return AS_JSON(payload)
    except ValueError as error:
        raise InvalidEvent("The body has a number that is too large.") from error


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


def addressee_of(event: StripeEvent) -> tuple[str | None, str]:
    """Return the id of the organisation whose event it is, or why nothing will be booked for it."""
    with connection.cursor() as cursor:
        cursor.execute(ADDRESSEE, [event.account, event.type, _reason_to_ignore(event)])
        [(organisation_id, note)] = cursor.fetchall()
    return organisation_id, note


def _reason_to_ignore(event: Envelope | StripeEvent) -> str:
    if event.livemode != settings.STRIPE_LIVEMODE:
        return "livemode is not ours"
    if event.occurred_at is None:
        return "thin event"
    if not event.account:
        return "of the platform's own account"
    return ""


@retried
def _store(envelope: Envelope, kept: str) -> str | None:
    """Return why nothing will be booked for a new event, if anything; None for one seen before."""
    more = {"payload": kept, "now": timezone.now(), "note": _reason_to_ignore(envelope)}
    # psycopg's own cursor: the parameters go beside the statement, not into it.
    connection.ensure_connection()
    with connection.wrap_database_errors, Cursor(connection.connection) as cursor:
        [(note,)] = cursor.execute(TAKE_IN, envelope._asdict() | more).fetchall()
    return None if note is None else str(note)
