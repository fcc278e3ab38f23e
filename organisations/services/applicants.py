"""Applying without an account: an address first, then the link that was mailed to it."""

from datetime import timedelta

from django.core import signing
from django.db import transaction

from organisations.errors import ApplicationLinkBroken, EmailTaken
from organisations.models import Membership, User
from organisations.services.applications import start_application
from organisations.services.mail import queue_mail
from organisations.services.people import create_person

LINK_SALT = "organisations.applicant"
LINK_LASTS = timedelta(days=3)


def mail_link(*, email: str) -> None:
    """
    Mail the link with which an application begins, or the way to sign in for who has an account.

    Which of them it was, only who reads the mail knows.
    """
    email = email.strip().lower()
    context = {"token": signing.dumps(email, salt=LINK_SALT), "is_known": _is_known(email)}
    queue_mail(to=email, template="application_link", context=context)


def read_link(token: str) -> str:
    """
    Return the address to which a link was mailed: whoever has the link reads its mail.

    Raises `ApplicationLinkBroken`, and `EmailTaken` when the address has an account by now.
    """
    try:
        email = str(signing.loads(token, salt=LINK_SALT, max_age=LINK_LASTS))
    except signing.BadSignature as error:
        raise ApplicationLinkBroken from error
    if _is_known(email):
        raise EmailTaken
    return email


@transaction.atomic
def apply_as_new_person(
    *, email: str, name: str, password: str, organisation: str, country: str
) -> Membership:
    """
    Make an account for an address that `read_link` returned, and its holder the owner of a draft.

    Raises `EmailTaken`, and as `create_person` and `start_application` do.
    """
    person = create_person(email=email, name=name, password=password)
    draft = start_application(owner=person, name=organisation, country=country)
    return Membership.objects.of(person).get(organisation=draft)


def _is_known(email: str) -> bool:
    return User.objects.filter(email__iexact=email).exists()
