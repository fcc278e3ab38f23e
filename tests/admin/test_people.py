"""People in the admin: even a superuser changes nobody's way in without their hearing of it."""

import pytest

from organisations.models import Mail
from tests.factories import PASSWORD, UserFactory

PEOPLE = "/admin/organisations/user/"


@pytest.fixture
def ann(db):
    return UserFactory(email="ann@example.org", name="Ann")


def test_nobody_sets_anothers_password(chief, ann):
    page = chief.get(f"{PEOPLE}{ann.pk}/change/").content.decode()
    form = {"password1": "x" * 20, "password2": "x" * 20, "usable_password": "true"}
    statuses = [
        chief.get(f"{PEOPLE}{ann.pk}/password/").status_code,
        chief.post(f"{PEOPLE}{ann.pk}/password/", form).status_code,
        chief.post(f"{PEOPLE}{ann.pk}/change/", {"email": ann.email, "password": "x"}).status_code,
    ]

    ann.refresh_from_db()
    assert statuses == [403, 403, 302]
    assert ann.check_password(PASSWORD)
    assert "password" not in page.partition('id="user_form"')[2].lower()


@pytest.mark.parametrize(
    ("email", "told"),
    [("else@example.org", ["ann@example.org"]), ("Ann@example.org", [])],
)
def test_a_change_of_address_is_said_to_the_former_one(chief, ann, email, told):
    chief.post(f"{PEOPLE}{ann.pk}/change/", {"email": email, "name": "Ann", "is_active": "on"})

    ann.refresh_from_db()
    assert ann.email == email.lower()
    assert list(Mail.objects.values_list("recipient", flat=True)) == told
    assert all("else@example.org signs in" in mail.body for mail in Mail.objects.all())
