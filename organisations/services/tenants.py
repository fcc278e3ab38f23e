"""Setting up tenants: applications and decisions."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from organisations.errors import (
    AlreadyDecided,
    ReasonMissing,
    SlugTaken,
    StripeAccountTaken,
)
from organisations.models import Organisation, User
from organisations.services.mail import tell_owners
from organisations.signals import organisation_approved

DECISION = ("decided_by", "decided_at", "decision_reason")


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
    tell_owners(organisation, "application_approved")
    return organisation


@transaction.atomic
def reject(*, organisation: Organisation, decided_by: User, reason: str) -> Organisation:
    """Turn an application down, once. Raises `AlreadyDecided`, `ReasonMissing`."""
    organisation = _decide(organisation, Organisation.Status.REJECTED, decided_by, reason)
    tell_owners(organisation, "application_rejected")
    return organisation


@transaction.atomic
def reconsider(*, organisation: Organisation) -> Organisation:
    """
    Let a rejected application wait for a decision once more; its owners hear that.

    Raises `AlreadyDecided`.
    """
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if organisation.status != Organisation.Status.REJECTED:
        raise AlreadyDecided(
            "Only a rejected application is looked at again: what is approved has its ledger for "
            "ever, and what was given back comes again when its owners send it in."
        )
    organisation.status = Organisation.Status.APPLIED
    organisation.decided_by, organisation.decided_at = None, None
    organisation.decision_reason = ""
    organisation.save(update_fields=["status", *DECISION])
    tell_owners(organisation, "application_received")
    return organisation


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
    organisation.save(update_fields=["status", *DECISION])
    return organisation
