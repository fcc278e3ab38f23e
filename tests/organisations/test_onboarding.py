"""Applications, and the people who decide on them."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from ledger.models import Book
from organisations.errors import AlreadyDecided, ReasonMissing, SlugTaken, StripeAccountTaken
from organisations.models import User
from organisations.services import tenants
from tests.factories import ApplicantFactory, MembershipFactory, UserFactory

FIELDS = {"name": "Lantern", "slug": "lantern", "country": "BE", "currency": "EUR"}
pytestmark = pytest.mark.django_db


def test_an_application_waits_without_a_book():
    organisation = tenants.create_organisation(**FIELDS)

    assert not organisation.is_public
    assert not Book.objects.exists()


def test_a_slug_and_an_account_belong_to_one_organisation():
    tenants.create_organisation(**FIELDS, stripe_account="acct_1")

    with pytest.raises(SlugTaken):
        tenants.create_organisation(**FIELDS)
    with pytest.raises(StripeAccountTaken):
        tenants.create_organisation(**{**FIELDS, "slug": "other"}, stripe_account="acct_1")


def test_what_is_ill_formed_is_refused_by_the_field_or_the_database():
    with pytest.raises(ValidationError):
        tenants.create_organisation(**FIELDS, website="nowhere")
    with pytest.raises(IntegrityError):
        tenants.create_organisation(**{**FIELDS, "currency": "eur"})


def test_a_decision_needs_a_reason_and_is_made_once():
    applicant, reviewer = ApplicantFactory(), UserFactory()
    with pytest.raises(ReasonMissing):
        tenants.reject(organisation=applicant, decided_by=reviewer, reason=" ")

    rejected = tenants.reject(organisation=applicant, decided_by=reviewer, reason="No charity.")

    assert rejected.decided_by == reviewer
    with pytest.raises(AlreadyDecided):
        tenants.approve(organisation=applicant, decided_by=reviewer, reason="After all.")


def test_people_sign_in_whatever_the_case_of_their_address(client):
    call_command("createsuperuser", "--noinput", email="Chief@Example.org", verbosity=0)

    user = User.objects.get_by_natural_key("CHIEF@example.ORG")

    assert (user.email, user.is_superuser, str(user)) == ("chief@example.org", True, user.email)


def test_a_member_is_named_with_the_part_played():
    assert str(MembershipFactory(user__name="Zoë")) == "Zoë, owner"
