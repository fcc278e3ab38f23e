"""Let a person into the admin."""

import getpass
import json
import os
import secrets
import sys
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from organisations.models import User
from organisations.services.staff_groups import GROUPS

PASSWORD_BYTES = 15


class Command(BaseCommand):
    """Prints one JSON object: `id, email`, and `password` if it was made up here."""

    help = (
        "Create a staff account. The password comes from STAFF_PASSWORD, else from a prompt; "
        "with nobody to ask, one is made up and printed once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Take who it is."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--name", default="")
        parser.add_argument("--superuser", action="store_true", help="May do everything.")
        parser.add_argument(
            "--group",
            action="append",
            choices=sorted(GROUPS),
            default=[],
            dest="groups",
            help="What they may do (docs/staff.md); may be repeated.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the account."""
        email = options["email"].strip().lower()
        check_address(email)
        password = os.environ.get("STAFF_PASSWORD") or ask()
        generated = "" if password else secrets.token_urlsafe(PASSWORD_BYTES)
        user = User(
            email=email, name=options["name"], is_staff=True, is_superuser=options["superuser"]
        )
        check_password(password or generated, user)
        user = User.objects.create_user(
            email,
            password or generated,
            name=user.name,
            is_staff=True,
            is_superuser=user.is_superuser,
        )
        user.groups.set(Group.objects.filter(name__in=options["groups"]))
        printed = {"id": user.id, "email": user.email}
        self.stdout.write(json.dumps(printed | ({"password": generated} if generated else {})))


def ask() -> str:
    """Return what a person types, or nothing where nobody can."""
    return getpass.getpass("Password (empty: one is made up): ") if sys.stdin.isatty() else ""


def check_address(email: str) -> None:
    """Raise `CommandError` for an address that is none, or taken."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise CommandError(f"{email!r} is no e-mail address: write one such as a@b.org.") from error
    if User.objects.filter(email__iexact=email).exists():
        raise CommandError(f"{email} has an account already: change it in the admin.")


def check_password(password: str, user: User) -> None:
    """Raise `CommandError` for a password that is easily guessed."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(f"Choose another password. {' '.join(error.messages)}") from error
