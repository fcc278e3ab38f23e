"""The members' page about how gifts are taken."""

import re

import pytest
from django.test import Client

from common.stripe_api import client as stripe_client
from donations.models import GivingCurrency
from donations.models.giving import terms_of
from donations.services.giving import remove_currency
from organisations.models import Membership, Organisation
from tests.factories import ApplicantFactory, MembershipFactory, OrganisationFactory
from tests.pages.conftest import text_of
from tests.pages.test_donate import problems_of
from tests.sandbox_fixtures import sandbox_process, sandbox_stripe

__all__ = ["sandbox_process", "sandbox_stripe"]
PAGE = "/dashboard/lantern-house/giving"
TERMS = {
    "currency": "EUR",
    "presets": "5\n10\n1,000.50",
    "least": "2",
    "most": "20,000",
    "locale": "en",
}


def browser_of(organisation, role=Membership.Role.ADMIN) -> Client:
    """Return a member's browser."""
    browser = Client()
    browser.force_login(MembershipFactory(organisation=organisation, role=role).user)
    return browser


@pytest.fixture
def organisation(db) -> Organisation:
    """A charity without a Stripe account."""
    return OrganisationFactory(name="Lantern House", slug="lantern-house", stripe_account=None)


@pytest.fixture
def member(organisation) -> Client:
    """The browser of an admin."""
    return browser_of(organisation)


def test_what_the_donate_page_offers_is_shown(member):
    page = text_of(member.get(PAGE))

    assert "EUR 10 · 25 · 50 · 100 · 250 1 999,999 Change EUR Remove EUR" in page
    assert "JPY 1,000 · 3,000 · 5,000 · 10,000 · 30,000 100 999,999" in page
    assert "has not been looked up at Stripe yet" in page


def test_the_form_has_the_terms_of_the_currency_that_is_asked_for(member):
    page = member.get(f"{PAGE}?currency=JPY").content.decode()
    added = member.get(f"{PAGE}?currency=HUF").content.decode()
    unknown = member.get(f"{PAGE}?currency=XYZ").content.decode()

    assert re.search(r'<option value="JPY" selected>', page)
    assert "1,000\n3,000\n5,000\n10,000\n30,000</textarea>" in page
    assert 'value="999,999"' in page
    assert "1,000.00\n2,500.00" in added
    assert re.search(r'<option value="EUR" selected>', unknown)


def test_terms_are_set_as_they_were_typed(member, organisation):
    response = member.post(f"{PAGE}/terms", TERMS)

    terms = terms_of(organisation)["EUR"]
    assert (response.status_code, response["Location"]) == (303, PAGE)
    assert terms.presets == [500, 1000, 100_050]
    assert (terms.least, terms.most) == (200, 2_000_000)
    assert "5 · 10 · 1,000.50" in text_of(member.get(PAGE))


def test_numbers_are_those_of_the_member(member, organisation):
    german = {"Accept-Language": "de"}
    page = member.get(PAGE, headers=german).content.decode()
    typed = {"presets": "5\n\n10,50\n1.000", "most": "2.000", "locale": "de"}

    member.post(f"{PAGE}/terms", {**TERMS, **typed})

    assert 'value="999.999,00"' in page
    assert "written like 40 or 1.000,50" in page
    assert terms_of(organisation)["EUR"].presets == [500, 1050, 100_000]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"currency": ""}, "currency", "Choose a currency"),
        ({"currency": "XYZ"}, "currency", "Choose a currency"),
        ({"presets": ""}, "presets", "Enter 3 to 6 amounts"),
        ({"presets": "5\n7,5\n10"}, "presets", "Amount 2: This can be read as 7.50 or as 75"),
        ({"presets": "5\n10"}, "presets", "Enter 3 to 6 amounts"),
        ({"presets": "1\n5\n10"}, "presets", "between the least and the most"),
        ({"least": ""}, "least", "Enter the least"),
        ({"least": "a lot"}, "least", "digits alone"),
        ({"least": "0.49"}, "least", "no less than 0.50 EUR"),
        ({"most": ""}, "most", "Enter the most"),
        ({"most": "1,00"}, "most", "can be read as 1 or as 100"),
        ({"most": "1000000"}, "most", "more than 999,999.00 EUR"),
        ({"most": "1"}, "most", "below the least"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(member, change, field, words):
    response = member.post(f"{PAGE}/terms", {**TERMS, **change})

    assert response.status_code == 400
    assert field in dict(problems_of(response))
    assert words in dict(problems_of(response))[field]
    assert not GivingCurrency.objects.exists()


def test_a_currency_is_removed_but_for_the_last(member, organisation):
    for code in ("USD", "GBP"):
        remove_currency(organisation=organisation, currency=code)

    removed = member.post(f"{PAGE}/remove", {"currency": "JPY"})
    last = member.post(f"{PAGE}/remove", {"currency": "EUR"})
    unknown = member.post(f"{PAGE}/remove")

    assert removed.status_code == 303
    assert list(terms_of(organisation)) == ["EUR"]
    assert last.status_code == 409
    assert "No other currency is offered: add another one first." in text_of(last)
    assert unknown.status_code == 400


def test_who_may_not_set_up_sees_and_changes_nothing(organisation):
    viewer = browser_of(organisation, Membership.Role.VIEWER)

    page = text_of(viewer.get(PAGE))

    assert "10 · 25 · 50" in page
    assert "Owners and admins of Lantern House change them." in page
    assert "Save" not in page
    assert viewer.post(f"{PAGE}/terms", TERMS).status_code == 403
    assert viewer.post(f"{PAGE}/remove", {"currency": "JPY"}).status_code == 403


def test_an_applicant_prepares_its_page_before_there_is_one(db):
    page = browser_of(ApplicantFactory(slug="new-door")).get("/dashboard/new-door/giving")

    assert page.status_code == 200
    assert "/o/new-door/donate" not in page.content.decode()


def test_saving_looks_up_what_stands_on_card_statements(sandbox_stripe, organisation):
    words = {"payments": {"statement_descriptor": "LANTERN HOUSE"}}
    account = stripe_client().v1.accounts.create({"country": "BE", "settings": words})
    Organisation.objects.update(stripe_account=account.id)
    member = browser_of(organisation)

    member.post(f"{PAGE}/terms", TERMS)

    assert "Donors read LANTERN HOUSE ." in text_of(member.get(PAGE))
    assert "LANTERN HOUSE" in text_of(Client().get("/o/lantern-house/donate"))


def test_an_account_without_words_is_told_what_to_do(sandbox_stripe, organisation):
    account = stripe_client().v1.accounts.create({"country": "BE"})
    Organisation.objects.update(stripe_account=account.id)
    member = browser_of(organisation)

    member.post(f"{PAGE}/terms", TERMS)

    assert "Set a statement descriptor at Stripe" in text_of(member.get(PAGE))
    assert "card statement" not in text_of(Client().get("/o/lantern-house/donate"))


def test_what_was_saved_stays_when_stripe_does_not_answer(sandbox_stripe, organisation):
    sandbox_stripe.control("outage", status=500)
    Organisation.objects.update(stripe_account="acct_away")

    response = browser_of(organisation).post(f"{PAGE}/terms", TERMS)

    assert response.status_code == 503
    assert "Saved, but card statements could not be looked up" in text_of(response)
    assert terms_of(organisation)["EUR"].least == 200
