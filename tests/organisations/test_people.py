"""Making an account: by one service, whoever asks; and one address for each person."""

from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection

from organisations.errors import EmailTaken
from organisations.models import User
from organisations.services.people import create_person
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
ADD = """
    INSERT INTO organisations_user
        (id, email, name, password, is_superuser, is_staff, is_active, created_at)
    VALUES (%s, %s, '', '', false, false, true, now())
"""


def test_a_person_signs_in_with_the_address_in_lower_case():
    person = create_person(email=" Ann@Example.ORG ", name=" Ann ", password=PASSWORD)

    assert (person.email, person.name) == ("ann@example.org", "Ann")
    assert person.check_password(PASSWORD)
    assert not person.is_staff


def test_an_address_has_one_person():
    UserFactory(email="ann@example.org")

    with pytest.raises(EmailTaken):
        create_person(email="ANN@example.org", name="", password=PASSWORD)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("email", "name", "password"),
    [
        ("ann@example.org", "Ann", "password"),
        ("ann@example.org", "Ann", "ann@example.org"),
        ("nobody", "Ann", PASSWORD),
        ("ann@example.org", "n" * 121, PASSWORD),
    ],
)
def test_what_cannot_be_kept_is_refused(email, name, password):
    with pytest.raises(ValidationError):
        create_person(email=email, name=name, password=password)
    assert not User.objects.exists()


def test_an_address_is_one_persons_whatever_its_case():
    UserFactory(email="ann@example.org")

    with (
        pytest.raises(IntegrityError, match="person_is_one_address"),
        connection.cursor() as cursor,
    ):
        cursor.execute(ADD, ["usr_2", "Ann@Example.org"])


def test_people_are_found_by_an_index():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = User.objects.filter(email__iexact="Ann@example.org").explain()

    assert "person_is_one_address" in plan


def test_an_upgrade_names_those_who_have_one_address(superuser_connection):
    folder = Path(apps.get_app_config("organisations").path, "sql")
    check = (folder / "one_address_v1.sql").read_text("utf-8")

    with superuser_connection.transaction(force_rollback=True):
        superuser_connection.execute(check)
        superuser_connection.execute("DROP INDEX person_is_one_address")
        for person, email in (("usr_1", "ann@example.org"), ("usr_2", "Ann@example.org")):
            superuser_connection.execute(ADD, [person, email])
        with pytest.raises(psycopg.errors.UniqueViolation) as refused:
            superuser_connection.execute(check)

    assert "differs only by case: usr_1 and usr_2" in str(refused.value)
    assert refused.value.diag.message_hint.startswith("Give one of each another address")
