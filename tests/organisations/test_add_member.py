"""Adding members on the command line."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from organisations.models import Membership, MembershipChange, User
from tests.factories import MembershipFactory, OrganisationFactory, UserFactory

pytestmark = pytest.mark.django_db


def add(**options):
    """Run the command; return what it prints."""
    output = StringIO()
    fields = {"organisation": "pond", "email": "ann@example.org", "role": "owner", **options}
    call_command("add_member", **fields, stdout=output)
    [text] = output.getvalue().splitlines()
    return json.loads(text)


@pytest.fixture(autouse=True)
def pond():
    return OrganisationFactory(slug="pond")


def test_somebody_new_can_sign_in(client, pond):
    told = add(email=" Ann@Example.org", name="Ann")

    user = User.objects.get()
    assert (user.email, user.name, user.is_staff) == ("ann@example.org", "Ann", False)
    assert told["role"] == "owner"
    assert client.login(username="ann@example.org", password=told["password"])
    assert client.get("/dashboard/pond/credits").status_code == 200


def test_who_has_an_account_keeps_it(pond):
    user = UserFactory(email="ann@example.org")

    told = add(organisation=pond.id, email="ANN@example.org", role="viewer")

    assert "password" not in told
    assert list(Membership.objects.of(user).values_list("role", flat=True)) == ["viewer"]


def test_another_role_takes_the_place_of_the_first(pond):
    user = MembershipFactory(organisation=pond, role="viewer").user

    add(email=user.email, role="finance")
    add(email=user.email, role="finance")

    assert Membership.objects.get().role == "finance"
    assert str(Membership.objects.get()).endswith(", finance")
    assert [str(change) for change in MembershipChange.objects.all()] == ["Role Changed"]


def test_the_operator_takes_the_last_owner_away_neither(pond):
    user = MembershipFactory(organisation=pond).user

    with pytest.raises(CommandError, match="make somebody else one first"):
        add(email=user.email, role="finance")
    assert Membership.objects.get().role == "owner"


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"organisation": "nobody"}, "No organisation has the slug or id 'nobody'"),
        ({"email": "ann"}, "write one such as a@b.org"),
    ],
)
def test_what_cannot_be_is_refused(options, remedy):
    with pytest.raises(CommandError, match=remedy):
        add(**options)

    assert not User.objects.exists()
