"""Donors whose name is alike to a listed one: held, looked at, and remembered when cleared."""

from pathlib import Path

import pytest

from reviews.models import ClearedPair, Hold, Screening
from reviews.services.deciding import decide
from reviews.services.sanctions import load_list
from tests.factories import CaseFactory, UserFactory
from tests.webhooks.holding import carried_out, decided, heard, organisation, promised

FILES = Path(__file__).resolve().parents[1] / "data" / "sanctions"
__all__ = ["organisation"]
pytestmark = pytest.mark.django_db(transaction=True)
LISTED = "Ferdusa Kalimantova"


@pytest.fixture
def lists(settings):
    """One list, loaded and configured."""
    settings.SANCTION_LISTS = ["EU"]
    load_list(source="EU", paths=[FILES / "eu.xml"])


def given_by(name, sandbox, organisation):
    gift = promised(organisation, donor_name=name)
    sandbox.control(f"checkout/{gift.checkout_session}/pay", card_number="4242424242424242")
    return heard(gift)


def result_of(gift):
    [screening] = Screening.objects.filter(subject=gift.id, occasion="settlement")
    return next(each for each in screening.results if each["rule"] == "listed_name")


def test_it_is_held_and_once_cleared_it_is_not_asked_again(lists, sandbox_stripe, organisation):
    gift = given_by(LISTED, sandbox_stripe, organisation)
    assert (gift.status, Hold.objects.get().kind) == ("held", "ledger")
    assert result_of(gift)["evidence"] == {"score": 100, "limit": 85, "listed": "EU EU.9001.11"}

    decided(gift, "release", by=UserFactory())
    again = given_by(LISTED, sandbox_stripe, organisation)

    assert (ClearedPair.objects.count(), again.status) == (1, "settled")
    assert result_of(again)["outcome"] == "pass"


def test_nobody_is_rejected_for_a_name_and_refusing_clears_nothing(
    lists, sandbox_stripe, organisation
):
    gift = given_by(LISTED, sandbox_stripe, organisation)

    decided(gift, "refuse")

    assert carried_out(gift).status == "refunded"
    assert not ClearedPair.objects.exists()


def test_who_keeps_a_gift_that_its_bank_warned_of_clears_no_name(
    lists, sandbox_stripe, organisation
):
    gift = given_by(LISTED, sandbox_stripe, organisation)
    warning = CaseFactory(
        organisation=organisation, kind="fraud_warning", subject="issfr_1", gift=gift.id
    )

    decide(case=warning, by=UserFactory(), choice="keep", reason="The bank says it is fine.")

    assert not ClearedPair.objects.exists()
    assert given_by(LISTED, sandbox_stripe, organisation).status == "held"


def test_a_list_that_is_missing_is_an_error_and_no_silent_pass(
    settings, sandbox_stripe, organisation
):
    settings.SANCTION_LISTS = ["UN"]

    gift = given_by("Anna Schmidt", sandbox_stripe, organisation)

    found = result_of(gift)
    assert (found["outcome"], gift.status) == ("error", "settled")
    assert "UN" in found["evidence"]["why"]


def test_no_name_of_a_donor_stands_in_the_log(lists, sandbox_stripe, organisation):
    gift = given_by(LISTED, sandbox_stripe, organisation)

    for screening in Screening.objects.filter(subject=gift.id):
        assert "Kalimantova" not in str(screening.results)


def test_who_releases_a_gift_clears_nobody_that_they_were_not_shown(
    only, lists, sandbox_stripe, organisation
):
    only("promise")
    gift = given_by(LISTED, sandbox_stripe, organisation)
    assert Hold.objects.get().kind == "capture"

    decided(gift, "release")

    assert not ClearedPair.objects.exists()
