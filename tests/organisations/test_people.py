"""Making an account: by one service, whoever asks."""

import pytest
from django.core.exceptions import ValidationError

from organisations.errors import EmailTaken
from organisations.models import User
from organisations.services.people import create_person
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


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
