"""Setting up tenants: applications, decisions, keys."""

import secrets
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone

from organisations.errors import (
    AlreadyDecided,
    KeyRevoked,
    ReasonMissing,
    SlugTaken,
    StripeAccountTaken,
)
from organisations.models import ApiKey, Membership, Organisation, User
from organisations.signals import organisation_approved

KEY_BYTES = 32
PREFIX_LENGTH = 16


class IssuedKey(NamedTuple):
    """A new key and its secret, which is shown now and never again."""

    key: ApiKey
    secret: str


def create_organisation(**fields: Any) -> Organisation:
    """
    Take down a new organisation's application, with the fields of `Organisation`.

    Raises `SlugTaken`, `StripeAccountTaken`, and Django's `ValidationError` for ill-formed fields.
    """
    organisation = Organisation(**fields)
    organisation.clean_fields()
    try:
        with transaction.atomic():
            organisation.save(force_insert=True)
    except IntegrityError as error:
        if "stripe_account" in str(error):
            raise StripeAccountTaken from error
        if "slug" in str(error):
            raise SlugTaken from error
        raise
    return organisation


@transaction.atomic
def approve(*, organisation: Organisation, decided_by: User | None, reason: str) -> Organisation:
    """
    Make an organisation public, once: from now on it has a ledger and can take gifts.

    `decided_by` is None when the operator decides on the command line. Raises `AlreadyDecided`,
    `ReasonMissing`.
    """
    organisation = _decide(organisation, Organisation.Status.APPROVED, decided_by, reason)
    organisation_approved.send(Organisation, organisation=organisation)
    return organisation


@transaction.atomic
def reject(*, organisation: Organisation, decided_by: User, reason: str) -> Organisation:
    """Turn an application down, once. Raises `AlreadyDecided`, `ReasonMissing`."""
    return _decide(organisation, Organisation.Status.REJECTED, decided_by, reason)


def add_member(*, organisation: Organisation, user: User, role: str) -> Membership:
    """Give a person a part in an organisation; one who has a part gets this one instead."""
    membership, _ = Membership.objects.update_or_create(
        organisation=organisation, user=user, defaults={"role": role}
    )
    return membership


def change_password(*, user: User, password: str) -> None:
    """Let a person sign in with another password, and end the sessions of the old one."""
    user.set_password(password)
    user.save(update_fields=["password"])


def issue_api_key(
    *, organisation: Organisation, application: str, name: str, scopes: list[str], livemode: bool
) -> IssuedKey:
    """Make a key for one application of an organisation; its secret is returned this once."""
    secret = f"sk_{'live' if livemode else 'test'}_{secrets.token_urlsafe(KEY_BYTES)}"
    key = ApiKey.objects.create(
        organisation=organisation,
        application=application,
        name=name,
        prefix=secret[:PREFIX_LENGTH],
        secret_hash=hash_secret(secret),
        scopes=scopes,
    )
    return IssuedKey(key, secret)


@transaction.atomic
def revoke_api_key(*, key: ApiKey) -> ApiKey:
    """End a key, at once and for ever. Raises `KeyRevoked`."""
    key = ApiKey.objects.select_for_update().get(pk=key.pk)
    if key.revoked_at:
        raise KeyRevoked
    key.revoked_at = timezone.now()
    key.save(update_fields=["revoked_at"])
    return key


def hash_secret(secret: str) -> str:
    """Return what is kept of a key's secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _decide(
    organisation: Organisation, status: str, decided_by: User | None, reason: str
) -> Organisation:
    if not reason.strip():
        raise ReasonMissing
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if organisation.status != Organisation.Status.APPLIED:
        raise AlreadyDecided
    organisation.status = status
    organisation.decided_by = decided_by
    organisation.decided_at = timezone.now()
    organisation.decision_reason = reason.strip()
    organisation.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    return organisation
