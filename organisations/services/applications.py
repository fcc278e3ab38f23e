"""An application: begun by whoever wants, filled in, sent in, and given back with a question."""

import secrets
from typing import Any

from babel.numbers import get_territory_currencies
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from common.money import CURRENCIES
from organisations.errors import (
    AlreadyDecided,
    ApplicationIncomplete,
    NotADraft,
    SlugTaken,
    TooManyDrafts,
)
from organisations.models import Membership, Organisation, StripeAccountState, User
from organisations.registration_numbers import Verdict, check
from organisations.services import tenants
from organisations.services.mail import tell_owners
from organisations.signals import application_submitted

IDENTITY = (
    "name",
    "slug",
    "summary",
    "description",
    "country",
    "currency",
    "website",
    "registration",
)
DRAFTS_MAX = 5
SLUG_LENGTH = 50
SLUG_ATTEMPTS = 5
CURRENCY_ELSEWHERE = "USD"
NEEDED = {
    "summary": "Say in one line who you are",
    "description": "Describe what you do and what gifts are used for",
    "registration": "Enter your registration number",
}


@transaction.atomic
def start_application(*, owner: User, name: str, country: str) -> Organisation:
    """
    Open a draft that its owner fills in; a free slug and the country's currency are proposed.

    Raises `TooManyDrafts`, so that nobody fills the place with names.
    """
    drafts = Membership.objects.of(owner).filter(organisation__status=Organisation.Status.DRAFT)
    if drafts.count() >= DRAFTS_MAX:
        raise TooManyDrafts
    organisation = _with_free_slug(name, country)
    Membership.objects.create(organisation=organisation, user=owner, role=Membership.Role.OWNER)
    return organisation


@transaction.atomic
def save_identity(*, organisation: Organisation, **fields: Any) -> Organisation:
    """
    Keep what an applicant says of itself, the fields of `IDENTITY`.

    Raises `NotADraft`, `SlugTaken`, and Django's `ValidationError` for ill-formed fields.
    """
    organisation = draft_to_change(organisation)
    for name in IDENTITY:
        setattr(organisation, name, fields[name])
    organisation.clean_fields()
    try:
        with transaction.atomic():
            organisation.save(update_fields=IDENTITY)
    except IntegrityError as error:
        raise SlugTaken from error
    return organisation


def missing_of(organisation: Organisation) -> list[tuple[str, str]]:
    """Return what an application needs still: the id of what mends it, and a sentence."""
    missing = [
        (field, sentence)
        for field, sentence in NEEDED.items()
        if not getattr(organisation, field).strip()
    ]
    if check(organisation.country, organisation.registration) is Verdict.WRONG:
        wrong = ("registration", "Correct your registration number")
        missing += [] if ("registration", NEEDED["registration"]) in missing else [wrong]
    if not organisation.documents.exists():
        missing.append(("documents", "Add a document that shows who you are"))
    return missing + _missing_at_stripe(organisation)


@transaction.atomic
def submit_application(*, organisation: Organisation) -> Organisation:
    """Send an application in, for staff to decide. Raises `NotADraft`, `ApplicationIncomplete`."""
    organisation = draft_to_change(organisation)
    if missing_of(organisation):
        raise ApplicationIncomplete
    organisation.status = Organisation.Status.APPLIED
    organisation.question = ""
    organisation.save(update_fields=["status", "question"])
    tell_owners(organisation, "application_received")
    put_before_staff(organisation=organisation)
    return organisation


def put_before_staff(*, organisation: Organisation) -> None:
    """Tell that an application waits for a decision from now on."""
    application_submitted.send(Organisation, organisation=organisation)


@transaction.atomic
def ask_for_more(*, organisation: Organisation, question: str) -> Organisation:
    """Give an application back with a question. Raises `AlreadyDecided`."""
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if organisation.status != Organisation.Status.APPLIED:
        raise AlreadyDecided("Only an application that waits can be given back.")
    organisation.status = Organisation.Status.DRAFT
    organisation.question = question.strip()
    organisation.save(update_fields=["status", "question"])
    tell_owners(organisation, "application_question")
    return organisation


def draft_to_change(organisation: Organisation) -> Organisation:
    """Return a draft, locked for a change. Raises `NotADraft`."""
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if organisation.status != Organisation.Status.DRAFT:
        raise NotADraft
    return organisation


def _with_free_slug(name: str, country: str) -> Organisation:
    # Django keeps underscores, and makes some of other characters; our slugs have none.
    words = slugify(name).replace("_", " ")
    base = slugify(words)[:SLUG_LENGTH].strip("-") or "organisation"
    endings = ["", *(f"-{secrets.token_hex(2)}" for _ in range(SLUG_ATTEMPTS))]
    for ending in endings:
        try:
            return tenants.create_organisation(
                name=name,
                slug=base + ending,
                country=country,
                currency=_currency_of(country),
                status=Organisation.Status.DRAFT,
            )
        except SlugTaken:
            continue
    raise SlugTaken


def _currency_of(country: str) -> str:
    listed = [code for code in get_territory_currencies(country) if code in CURRENCIES]
    return listed[0] if listed else CURRENCY_ELSEWHERE


def _missing_at_stripe(organisation: Organisation) -> list[tuple[str, str]]:
    state = StripeAccountState.objects.filter(organisation=organisation).first()
    if not organisation.stripe_account or (state and state.disconnected_at):
        return [("stripe", "Connect a Stripe account")]
    if not (state and state.details_submitted):
        return [("stripe", "Answer what Stripe asks for your account")]
    return []
