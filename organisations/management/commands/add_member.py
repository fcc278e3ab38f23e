"""Give a person a part in an organisation."""

import json
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from organisations.errors import LastOwner
from organisations.management.commands.create_staff import PASSWORD_BYTES
from organisations.models import Membership, Organisation, User
from organisations.services.members import add_member


class Command(BaseCommand):
    """Prints one JSON object: `organisation, email, role`, and `password` for a new person."""

    help = (
        "Let a person sign in for an organisation. Who has an account keeps it, and gets this role "
        "in place of another; for anybody else one is made, with a password that is printed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take who gets which part."""
        parser.add_argument("--organisation", required=True, help="A slug or an id.")
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="")
        parser.add_argument("--role", required=True, choices=Membership.Role.values)

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Add the member."""
        name, email = options["organisation"], options["email"].strip().lower()
        organisation = Organisation.objects.known_as(name).first()
        if organisation is None:
            raise CommandError(f"No organisation has the slug or id {name!r}.")
        user, password = person(email, options["name"])
        try:
            add_member(organisation=organisation, user=user, role=options["role"])
        except LastOwner as error:
            raise CommandError(str(error)) from error
        printed = {"organisation": organisation.id, "email": user.email, "role": options["role"]}
        self.stdout.write(json.dumps(printed | password))


def person(email: str, name: str) -> tuple[User, dict[str, str]]:
    """Return who has an address, and the password of somebody new. Raises `CommandError`."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email!r} is no e-mail address: write one such as a@b.org.") from error
    if known := User.objects.filter(email__iexact=email).first():
        return known, {}
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    return User.objects.create_user(email, password, name=name), {"password": password}
