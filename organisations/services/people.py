"""The people who sign in."""

from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from organisations.errors import EmailTaken
from organisations.models import User


def create_person(*, email: str, name: str, password: str) -> User:
    """
    Let somebody sign in with an address and a password.

    Raises `EmailTaken`, and Django's `ValidationError` for a password that is easily guessed or
    an address or name that cannot be kept.
    """
    person = User(email=email.strip().lower(), name=name.strip())
    validate_password(password, person)
    person.set_password(password)
    person.clean_fields()
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError as error:
        raise EmailTaken from error
    return person
