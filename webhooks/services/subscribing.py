"""Endpoints of integrators: added, disabled, enabled, deleted; and the secrets that sign."""

import secrets
from base64 import b64encode
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common.addresses import AddressForbidden, destination_of
from common.vault import vault
from ledger.models import PUBLIC, Book
from organisations.models import Organisation, User
from reviews.models import Case
from reviews.services.cases import overtake_of
from webhooks.errors import (
    AddressUnusable,
    EndpointActive,
    EndpointDisabled,
    EndpointGone,
    EndpointKnown,
    TooManyEndpoints,
    UnknownEvent,
)
from webhooks.models import BookReading, Delivery, Endpoint, EndpointSecret, Topic

PURPOSE = "almoner webhook secrets v1"
SECRET_BYTES = 32
SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
ENDPOINTS_MAX = 20
OLD_SECRET_SIGNS_FOR = timedelta(days=1)


class NewSecret(NamedTuple):
    """An endpoint, and the secret that is shown now and never again."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def add_endpoint(
    *,
    organisation: Organisation,
    url: str,
    events: Sequence[str],
    description: str = "",
    created_by: User | None = None,
) -> NewSecret:
    """
    Tell an address what happens from now on; its secret is returned this once.

    Raises `AddressUnusable`, `UnknownEvent`, `EndpointKnown`, `TooManyEndpoints`.
    """
    _check(url, events)
    # Whoever adds one at the same time waits: together they are counted, and begin to read once.
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    own = Endpoint.objects.of(organisation)
    if own.filter(url=url).exists():
        raise EndpointKnown
    if own.count() >= ENDPOINTS_MAX:
        raise TooManyEndpoints
    _begin_to_read(organisation)
    endpoint = Endpoint.objects.create(
        organisation=organisation,
        url=url,
        events=[topic for topic in Topic if topic in events],
        description=description,
        created_by=created_by,
    )
    return _with_new_secret(endpoint)


@transaction.atomic
def rotate_secret(*, endpoint: Endpoint) -> NewSecret:
    """
    Give an endpoint a new secret, returned this once; the one before it signs for a day more.

    Raises `EndpointGone`.
    """
    endpoint = _locked(endpoint)
    now = timezone.now()
    endpoint.secrets.filter(expires_at__lte=now).delete()
    endpoint.secrets.filter(expires_at=None).update(expires_at=now + OLD_SECRET_SIGNS_FOR)
    return _with_new_secret(endpoint)


@transaction.atomic
def disable_endpoint(*, endpoint: Endpoint, reason: str) -> Endpoint:
    """
    Send nothing more to an endpoint, also not what waits. Raises `EndpointDisabled`.

    What happens until it is enabled is not kept for it.
    """
    endpoint = _locked(endpoint)
    if endpoint.disabled_at:
        raise EndpointDisabled
    endpoint.disabled_at, endpoint.disabled_reason = timezone.now(), reason
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    _give_up(endpoint)
    return endpoint


@transaction.atomic
def enable_endpoint(*, endpoint: Endpoint) -> Endpoint:
    """Tell an endpoint what happens from now on. Raises `EndpointActive`, `EndpointGone`."""
    _end_case(endpoint, "It was enabled again.")
    Organisation.objects.select_for_update(no_key=True).get(pk=endpoint.organisation_id)
    endpoint = _locked(endpoint)
    if endpoint.is_active:
        raise EndpointActive
    _begin_to_read(endpoint.organisation)
    endpoint.disabled_at, endpoint.disabled_reason, endpoint.failing_since = None, "", None
    endpoint.save(update_fields=["disabled_at", "disabled_reason", "failing_since"])
    _give_up(endpoint)  # what was queued in the very moment that disabled it
    return endpoint


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint) -> None:
    """End an endpoint for good; its log stays in the database. Raises `EndpointGone`."""
    _end_case(endpoint, "Its organisation deleted it.")
    endpoint = _locked(endpoint)
    endpoint.deleted_at = timezone.now()
    endpoint.save(update_fields=["deleted_at"])
    _give_up(endpoint)


def _check(url: str, events: Sequence[str]) -> None:
    try:
        destination_of(url, allow_private=settings.WEBHOOKS_ALLOW_PRIVATE)
    except AddressForbidden as error:
        raise AddressUnusable(str(error)) from error
    if not events or not set(events) <= set(Topic):
        raise UnknownEvent


def _locked(endpoint: Endpoint) -> Endpoint:
    locked = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if locked.deleted_at:
        raise EndpointGone
    return locked


def _with_new_secret(endpoint: Endpoint) -> NewSecret:
    secret = SECRET_PREFIX + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    EndpointSecret.objects.create(
        organisation_id=endpoint.organisation_id,
        endpoint=endpoint,
        encrypted=vault(PURPOSE).encrypt(secret.encode()),
    )
    return NewSecret(endpoint, secret)


def _begin_to_read(organisation: Organisation) -> None:
    # While nobody listened, the book was not read: that is not made up for.
    if Endpoint.objects.of(organisation).active().exists():
        return
    book = Book.objects.filter(organisation=organisation, book=PUBLIC).first()
    BookReading.objects.update_or_create(
        organisation=organisation, defaults={"told": book.size if book else 0}
    )


def _end_case(endpoint: Endpoint, reason: str) -> None:
    # First of all: whoever decides on the case has locked it before the endpoint.
    overtake_of(kind=Case.Kind.SUBSCRIBER, subjects=[endpoint.id], reason=reason)


def _give_up(endpoint: Endpoint) -> None:
    endpoint.deliveries.filter(status=Delivery.Status.DUE).update(status=Delivery.Status.GIVEN_UP)
