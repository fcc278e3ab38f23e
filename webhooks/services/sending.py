"""
Sending: what is due is claimed, posted by a few threads at once, and what came of it is noted.

No thread that waits for the network touches the database, and no transaction waits for the network.
A worker that is killed leaves its claims behind, which run out: a message may arrive twice, under
one `webhook-id`.
"""

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Self

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from standardwebhooks import Webhook

from common import outbound
from common.errors import in_words
from common.vault import vault
from webhooks.models import Delivery, Endpoint, EndpointSecret
from webhooks.services.outcomes import Outcome, record
from webhooks.services.subscribing import PURPOSE

PLACES, PLACES_FOR_FAILING, PLACES_FOR_ONE = 16, 8, 4
LEASE = timedelta(minutes=1)
PATIENCE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that is needed to send a message, so that nobody asks the database meanwhile."""

    url: str
    message: str
    body: str
    encrypted_secrets: list[bytes]

    def headers(self, now: datetime) -> dict[str, str]:
        """Return the headers, signed now by every secret that counts. Raises `InvalidToken`."""
        opened = [vault(PURPOSE).decrypt(each).decode() for each in self.encrypted_secrets]
        signed = [Webhook(secret).sign(self.message, now, self.body) for secret in opened]
        return {
            "Content-Type": "application/json",
            "User-Agent": f"Almoner-Webhooks/1 (+{settings.BASE_URL})",
            "webhook-id": self.message,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signed),
        }


class Sender:
    """
    Sends what is due, so that an endpoint which is slow or dead holds up none of the others.

    Each has a few places, one that fails a single one, and all that fail together half of them.
    """

    def __init__(self) -> None:
        """Open the places."""
        self._pool = ThreadPoolExecutor(PLACES, thread_name_prefix="webhook")
        self._under_way: dict[Future[Outcome], Delivery] = {}

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Finish what is under way, and note it."""
        self._pool.shutdown()
        self._note(list(self._under_way))

    def work(self) -> int:
        """Begin what is due and has a place, note what has ended; return how many of both."""
        begun = sum(self._begin(endpoint) for endpoint in waiting(timezone.now()))
        patience = 0 if begun else PATIENCE_SECONDS
        ended, _ = wait(self._under_way, patience, FIRST_COMPLETED)
        self._note(ended)
        return begun + len(ended)

    def _begin(self, endpoint: Endpoint) -> int:
        deliveries = claim(endpoint, limit=self._places_for(endpoint))
        for delivery in deliveries:
            parcel = pack(delivery, endpoint)
            self._under_way[self._pool.submit(deliver, parcel)] = delivery
        return len(deliveries)

    def _places_for(self, endpoint: Endpoint) -> int:
        taken = list(self._under_way.values())
        own = sum(delivery.endpoint_id == endpoint.id for delivery in taken)
        free = PLACES - len(taken)
        if endpoint.failing_since is None:
            return min(free, PLACES_FOR_ONE - own)
        failing = sum(delivery.endpoint.failing_since is not None for delivery in taken)
        return min(free, PLACES_FOR_FAILING - failing, 1 - own)

    def _note(self, ended: Iterable[Future[Outcome]]) -> None:
        for future in ended:
            record(delivery=self._under_way.pop(future), outcome=future.result())


def waiting(now: datetime) -> list[Endpoint]:
    """Return the endpoints for which something is due, in an order that favours nobody."""
    due = Delivery.objects.due(now).filter(endpoint=OuterRef("pk"))
    return list(Endpoint.objects.active().filter(Exists(due)).order_by("?"))


@transaction.atomic
def claim(endpoint: Endpoint, *, limit: int) -> list[Delivery]:
    """Take up to `limit` due deliveries of an endpoint, for a while: we may be killed."""
    if limit <= 0:
        return []
    now = timezone.now()
    due = endpoint.deliveries.due(now).select_for_update(skip_locked=True, of=("self",))
    claimed = list(due.select_related("message", "endpoint").order_by("next_attempt_at")[:limit])
    Delivery.objects.filter(pk__in=[each.pk for each in claimed]).update(
        next_attempt_at=now + LEASE, attempts=F("attempts") + 1
    )
    return claimed


def pack(delivery: Delivery, endpoint: Endpoint) -> Parcel:
    """Return what a thread needs to send a delivery."""
    valid = EndpointSecret.objects.filter(endpoint=endpoint).valid(timezone.now())
    return Parcel(
        url=endpoint.url,
        message=delivery.message_id,
        body=delivery.message.body,
        encrypted_secrets=[bytes(secret) for secret in valid.values_list("encrypted", flat=True)],
    )


def deliver(parcel: Parcel) -> Outcome:
    """Post a parcel, and return what came of it, whatever that is."""
    at, started = datetime.now(UTC), monotonic()
    status, answer, error = None, b"", ""
    try:
        status, answer = outbound.send(
            parcel.url,
            parcel.body.encode(),
            parcel.headers(at),
            allow_private=settings.WEBHOOKS_ALLOW_PRIVATE,
        )
    except outbound.NotSent as refusal:
        error = str(refusal)
    except InvalidToken:
        error = "Its secret cannot be opened: LEDGER_KEY_SECRET has changed. Rotate the secret."
    except Exception as bug:  # whatever it is, the other messages are sent
        error = in_words(bug)
    duration_ms = round((monotonic() - started) * 1000)
    return Outcome(at, duration_ms, status, answer.decode("utf-8", "replace"), error)
