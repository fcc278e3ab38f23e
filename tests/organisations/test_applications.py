"""Applications, on their pages: filled in, sent in, and given back."""

import pytest
from django.test import Client

from organisations.errors import AlreadyDecided, NotADraft, SlugTaken
from organisations.models import Mail, Organisation
from organisations.services import applications
from tests.factories import (
    ApplicantFactory,
    DocumentFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
    UserFactory,
)

IDENTITY = {
    "name": "Lantern House",
    "slug": "lantern-house",
    "summary": "Night shelter",
    "description": "Forty beds.\r\nOctober to April.",
    "country": "BE",
    "currency": "EUR",
    "registration": "0403.019.261",
    "website": "lantern.example",
}
HERE = "/dashboard/lantern/application"
pytestmark = pytest.mark.django_db


@pytest.fixture
def whole(draft) -> Organisation:
    """A draft in which nothing is missing."""
    typed = IDENTITY | {"slug": "lantern", "website": "https://lantern.example"}
    kept = applications.save_identity(organisation=draft, **typed)
    Organisation.objects.update(stripe_account="acct_1")
    DocumentFactory(organisation=draft)
    StripeAccountStateFactory(organisation=draft)
    kept.refresh_from_db()
    return kept


def errors(response):
    return dict(response.context["form"].errors)


@pytest.mark.parametrize(
    ("name", "country", "slug", "currency"),
    [
        ("Café für Alle!", "CH", "cafe-fur-alle", "CHF"),
        ("川辺の森", "JP", "organisation", "JPY"),
        ("x" * 120, "AQ", "x" * 50, "USD"),
        ("Save_the_ _Whales_", "US", "save-the-whales", "USD"),
        ("Save\uff3fthe\ufe4dWhales", "US", "save-the-whales", "USD"),
    ],
)
def test_an_address_and_a_currency_are_proposed(name, country, slug, currency):
    made = applications.start_application(owner=UserFactory(), name=name, country=country)

    assert (made.slug, made.currency, made.name) == (slug, currency, name)


def test_a_taken_address_gets_an_ending_of_its_own(monkeypatch):
    first, second = (
        applications.start_application(owner=UserFactory(), name="Lantern", country="BE")
        for _ in range(2)
    )
    assert first.slug == "lantern"
    assert second.slug.startswith("lantern-")

    monkeypatch.setattr(applications, "SLUG_ATTEMPTS", 0)
    with pytest.raises(SlugTaken):
        applications.start_application(owner=UserFactory(), name="Lantern", country="BE")


def test_what_is_typed_is_kept_in_its_plain_form(browser, draft):
    response = browser.post(HERE, IDENTITY)

    assert (response.status_code, response.url) == (303, "/dashboard/lantern-house/application")
    draft.refresh_from_db()
    kept = {name: getattr(draft, name) for name in IDENTITY}
    assert kept == IDENTITY | {
        "description": "Forty beds.\nOctober to April.",
        "website": "https://lantern.example",
    }
    page = browser.get(response.url).content.decode()
    assert "What you entered is saved." in page
    assert "Forty beds.\nOctober to April." in page


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"registration": "0403.019.262"}, "registration", "enterprise number such as 0403"),
        ({"slug": "Lantern House"}, "slug", "single hyphens"),
        ({"slug": "taken"}, "slug", "has this slug already"),
        ({"website": "javascript:alert(1)"}, "website", "web address"),
        ({"website": "ftp://lantern.example"}, "website", "web address"),
        ({"website": "https://bank.example@evil.example/"}, "website", "web address"),
        ({"description": "a\x1bb"}, "description", "cannot be seen"),
        ({"summary": "a\u2028b"}, "summary", "cannot be seen"),
        ({"name": ""}, "name", "Enter the name"),
        ({"name": "a\x00"}, "name", "cannot be seen"),
        ({"currency": "XXX"}, "currency", "Choose a currency"),
        ({"country": ""}, "country", "Choose a country"),
    ],
)
def test_a_problem_is_told_at_its_field(browser, draft, changes, field, words):
    ApplicantFactory(slug="taken")

    response = browser.post(HERE, IDENTITY | changes)

    assert response.status_code in (400, 409)
    assert words in str(errors(response)[field])
    draft.refresh_from_db()
    assert draft.summary == ""


def test_a_country_without_a_rule_says_that_a_person_checks(browser):
    browser.post(HERE, IDENTITY | {"slug": "lantern", "country": "GB", "registration": "1123456"})

    assert "a person checks yours" in browser.get(HERE).content.decode()


def test_a_draft_says_what_is_missing(browser, draft):
    page = browser.get(HERE)

    assert [field for field, _ in page.context["missing"]] == [
        "summary",
        "description",
        "registration",
        "documents",
        "stripe",
    ]
    assert b"Send the application in" not in page.content
    response = browser.post(f"{HERE}/submit", follow=True)
    assert "Something is missing still" in response.content.decode()
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_a_number_that_does_not_fit_the_country_any_more_is_missing(draft, whole):
    Organisation.objects.update(country="FR")
    whole.refresh_from_db()

    assert applications.missing_of(whole) == [("registration", "Correct your registration number")]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"details_submitted": False}, "Answer what Stripe asks for your account"),
        ({"disconnected_at": "2026-11-21T12:00:00Z"}, "Connect a Stripe account"),
    ],
)
def test_an_account_that_is_not_ready_is_missing(draft, whole, state, words):
    type(whole.account_state).objects.update(**state)

    assert applications.missing_of(whole) == [("stripe", words)]


def test_a_whole_application_is_sent_in_and_rests(browser, whole):
    page = browser.get(HERE)
    assert b"Send the application in" in page.content

    browser.post(f"{HERE}/submit")

    whole.refresh_from_db()
    assert whole.status == "applied"
    mail = Mail.objects.get()
    assert (mail.recipient, mail.subject) == (
        "zoe@example.org",
        "We have the application of Lantern House",
    )
    assert "http://localhost:8000/dashboard/lantern/application" in mail.body
    page = browser.get(HERE).content.decode()
    assert "It is with us." in page
    assert "Save</button>" not in page
    refused = browser.post(HERE, IDENTITY)
    assert (refused.status_code, errors(refused).keys()) == (409, {"__all__"})
    with pytest.raises(NotADraft):
        applications.submit_application(organisation=whole)


def test_staff_give_an_application_back_with_a_question(browser, whole):
    with pytest.raises(AlreadyDecided):
        applications.ask_for_more(organisation=whole, question="Who signs?")
    applications.submit_application(organisation=whole)
    Mail.objects.all().delete()

    applications.ask_for_more(organisation=whole, question=" Who signs for you & whom? ")

    assert "Who signs for you & whom?" in Mail.objects.get().body
    assert "Who signs for you &amp; whom?" in browser.get(HERE).content.decode()
    again = applications.submit_application(organisation=whole)
    assert (again.status, again.question) == ("applied", "")


@pytest.mark.parametrize(
    ("status", "words"), [("rejected", "It was not accepted: No."), ("approved", "It was approved")]
)
def test_what_was_decided_is_shown(client, status, words):
    decided = OrganisationFactory(slug="lantern")
    Organisation.objects.update(status=status, decision_reason="No.")
    client.force_login(MembershipFactory(organisation=decided).user)

    assert words in client.get(HERE).content.decode()


def test_a_stranger_sees_no_application(draft):
    client = Client()
    client.force_login(UserFactory())

    assert client.get(HERE).status_code == 404
