"""Letting a person into the admin from the command line."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from organisations.management.commands import create_staff
from organisations.models import User
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nobody_asked(monkeypatch) -> None:
    """Nothing in the environment, and nobody at the keyboard."""
    monkeypatch.delenv("STAFF_PASSWORD", raising=False)
    monkeypatch.setattr(create_staff.sys, "stdin", StringIO())


def create(**options) -> dict[str, str]:
    """Run the command; return what it prints."""
    output = StringIO()
    call_command("create_staff", **{"email": "zoe@example.org", **options}, stdout=output)
    return json.loads(output.getvalue())


def test_a_password_is_made_up_and_printed_once():
    printed = create(name="Zoë")

    user = User.objects.get()
    assert (printed["id"], printed["email"]) == (user.id, "zoe@example.org")
    assert user.check_password(printed["password"])
    assert (user.name, user.is_staff, user.is_superuser) == ("Zoë", True, False)


def test_a_password_from_the_environment_is_not_printed(monkeypatch):
    monkeypatch.setenv("STAFF_PASSWORD", PASSWORD)

    printed = create(email=" Zoe@Example.org ", superuser=True)

    user = User.objects.get(email="zoe@example.org")
    assert "password" not in printed
    assert user.check_password(PASSWORD)
    assert user.is_superuser


def test_a_person_types_the_password(monkeypatch):
    monkeypatch.setattr(create_staff.sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(create_staff.getpass, "getpass", lambda _: PASSWORD)

    create()

    assert User.objects.get().check_password(PASSWORD)


def test_a_password_that_is_guessed_easily_is_refused(monkeypatch):
    monkeypatch.setenv("STAFF_PASSWORD", "zoe")

    with pytest.raises(CommandError, match="Choose another password"):
        create()

    assert not User.objects.exists()


def test_somebody_is_put_into_groups():
    create(groups=["reviewer", "auditor"])

    groups = User.objects.get().groups
    assert set(groups.values_list("name", flat=True)) == {"reviewer", "auditor"}


def test_a_group_that_is_none_is_refused():
    with pytest.raises(CommandError, match=r"--group: invalid choice: 'chief'.*'reviewer'"):
        call_command("create_staff", "--email", "zoe@example.org", "--group", "chief")


@pytest.mark.parametrize("email", ["zoe", "", "zoe@"])
def test_what_is_no_address_is_refused(email):
    with pytest.raises(CommandError, match="no e-mail address"):
        create(email=email)


def test_an_address_that_is_taken_is_refused():
    UserFactory(email="zoe@example.org")

    with pytest.raises(CommandError, match="already"):
        create(email="Zoe@example.org")
