"""The people who sign in."""

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from organisations.errors import EmailTaken
from organisations.models import User
from organisations.services.mail import queue_mail


def create_person(*, email: str, name: str, password: str) -> User:
    """
    Let somebody sign in with an address and a password.

    The address counts as theirs from then on: the caller knows that they read its mail. Raises
    `EmailTaken`, and Django's `ValidationError` for a password that is easily guessed or an
    address or name that cannot be kept.
    """
    person = User(email=email.strip().lower(), name=" ".join(name.split()))
    validate_password(password, person)
    person.set_password(password)
    person.clean_fields()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
            keep_address(user=person)
    except IntegrityError as error:
        raise EmailTaken from error
    return person


@transaction.atomic
def keep_address(*, user: User) -> None:
    """
    Tell allauth that the address with which a person signs in is theirs, and that no other is.

    One that they asked for and have not confirmed stays what it is. Without this, allauth takes
    the present address for one that was never confirmed, and the next one drops it.
    """
    own = EmailAddress.objects.filter(user=user)
    own.filter(verified=True).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


def tell_former_address(*, user: User, former: str) -> None:
    """Tell whoever reads the mail of an address that it does not sign in any more."""
    addresses = {"from_email": former, "to_email": user.email}
    queue_mail(to=former, template="email_changed", context=addresses)


@transaction.atomic
def remove_second_factors(*, user: User) -> None:
    """Let who has lost their device sign in by password alone, and tell them so by mail."""
    Authenticator.objects.filter(user=user).delete()
    queue_mail(to=user.email, template="second_factors_removed", context={})
