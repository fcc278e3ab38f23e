"""Promising gifts, at the real sandbox."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import stripe
from django.db import connection
from django.test import Client
from django.utils import timezone

from common.errors import TryAgainLater
from common.stripe_api import StripeRefused, client
from donations.errors import (
    AmountOutOfRange,
    CurrencyNotOffered,
    IdempotencyConflict,
    TakesNoGifts,
    UnknownCurrency,
    UnknownFund,
)
from donations.models import Donation
from donations.services.erasure import erase_donor
from donations.services.gifts import Payment, mark_paid
from donations.services.giving import set_terms
from donations.services.promises import (
    OPEN_SECONDS,
    SLOT_SECONDS,
    create_sandbox_account,
    journey_url,
    promise_donation,
)
from tests.factories import ApplicantFactory, FundFactory, OrganisationFactory

CHECKOUT, INTENT = Donation.Flow.CHECKOUT, Donation.Flow.PAYMENT_INTENT


def promise(organisation, **more):
    gift = {"amount": 5000, "currency": "EUR", "flow": CHECKOUT, **more}
    return promise_donation(organisation=organisation, **gift)


def test_a_gift_is_promised_on_the_hosted_page(sandbox_stripe, organisation):
    FundFactory(organisation=organisation, slug="winter-shelter")
    donor = {"donor_email": "zoe@example.org", "donor_name": "Zoë", "public_name": "Z."}

    promised = promise(organisation, fund="winter-shelter", **donor)

    donation = Donation.objects.get()
    assert promised == (donation, True, None)
    assert (donation.status, donation.amount, donation.fund) == ("pending", 5000, "winter-shelter")
    assert (donation.donor_email, donation.donor_name) == ("zoe@example.org", "Zoë")
    account = organisation.stripe_account
    session = sandbox_stripe.find("checkout/sessions", donation.checkout_session, account)
    assert donation.checkout_url == session["url"]
    assert (session["mode"], session["submit_type"]) == ("payment", "donate")
    assert (session["amount_total"], session["currency"]) == (5000, "eur")
    assert session["client_reference_id"] == donation.id
    assert session["metadata"] == {"donation_id": donation.id}
    assert session["customer_email"] == "zoe@example.org"
    assert session["success_url"] == journey_url(donation)
    assert session["cancel_url"] == "http://localhost:8000/o/eau-vive/donate"
    assert "application_fee" not in str(session).replace("'application_fee_amount': None", "")


def test_a_gift_on_the_hosted_page_names_itself_on_its_charge(sandbox_stripe, organisation):
    donation = promise(organisation).donation

    sandbox_stripe.control(
        f"checkout/{donation.checkout_session}/pay", card_number="4242424242424242"
    )

    [charge] = sandbox_stripe.list("charges", organisation.stripe_account)
    assert charge["metadata"] == {"donation_id": donation.id}
    assert charge["application_fee_amount"] is None


def test_an_integrator_has_its_own_links(sandbox_stripe, organisation):
    links = {"success_url": "https://a.example/yes", "cancel_url": "https://a.example/no"}

    donation = promise(organisation, **links).donation

    account = organisation.stripe_account
    session = sandbox_stripe.find("checkout/sessions", donation.checkout_session, account)
    assert {name: session[name] for name in links} == links
    assert session["customer_email"] is None


def test_a_gift_is_promised_for_an_integrators_own_page(sandbox_stripe, organisation):
    promised = promise(organisation, flow=INTENT, amount=700, donor_email="zoe@example.org")

    donation = Donation.objects.get()
    account = organisation.stripe_account
    intent = sandbox_stripe.find("payment_intents", donation.payment_intent, account)
    assert promised == (donation, True, intent["client_secret"])
    assert (intent["amount"], intent["currency"]) == (700, "eur")
    assert intent["metadata"] == {"donation_id": donation.id}
    assert intent["receipt_email"] == "zoe@example.org"
    assert intent["application_fee_amount"] is None
    assert intent["client_secret"] not in str(vars(donation))


@pytest.mark.parametrize("flow", [CHECKOUT, INTENT])
def test_the_same_key_again_is_the_same_gift(organisation, flow):
    first = promise(organisation, flow=flow, idempotency_key="k")

    again = promise(organisation, flow=flow, idempotency_key="k")

    assert (first.is_new, again.is_new) == (True, False)
    assert again.donation == first.donation
    assert again.client_secret == first.client_secret
    assert again.donation.checkout_url == first.donation.checkout_url
    assert Donation.objects.count() == 1


def test_the_same_key_is_good_after_the_payment_told_the_donors_name(organisation):
    first = promise(organisation, flow=INTENT, idempotency_key="k")
    gift = first.donation
    payment = Payment(gift.id, gift.created_at, donor_email="zoe@example.org")
    mark_paid(organisation=organisation, payments=[payment])

    again = promise(organisation, flow=INTENT, idempotency_key="k")

    assert again.client_secret == first.client_secret


def test_without_a_key_every_call_is_a_new_gift(organisation):
    first, second = promise(organisation), promise(organisation)

    assert first.donation != second.donation
    assert first.donation.checkout_session != second.donation.checkout_session


def test_a_key_belongs_to_its_organisation(organisation):
    other = OrganisationFactory(stripe_account=None)
    other.stripe_account = organisation.stripe_account
    first = promise(organisation, idempotency_key="k")

    second = promise(other, idempotency_key="k")

    assert second.is_new
    assert first.donation != second.donation


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 5001},
        {"currency": "USD"},
        {"flow": INTENT},
        {"donor_email": "zoe@example.org"},
        {"public_name": "Zoë"},
        {"success_url": "https://a.example/"},
    ],
)
def test_a_key_for_another_gift_is_refused_each_time(organisation, changes):
    promise(organisation, idempotency_key="k")

    for _ in range(2):
        with pytest.raises(IdempotencyConflict):
            promise(organisation, idempotency_key="k", **changes)

    assert Donation.objects.get().amount == 5000


def test_the_key_of_an_erased_gift_is_used_up(organisation):
    promised = promise(organisation, idempotency_key="k", donor_email="zoe@example.org")
    erase_donor(donation=promised.donation)

    with pytest.raises(IdempotencyConflict):
        promise(organisation, idempotency_key="k", donor_email="zoe@example.org")

    assert Donation.objects.get().donor_email == ""


@pytest.mark.parametrize("flow", [CHECKOUT, INTENT])
@pytest.mark.parametrize("status", [429, 500])
def test_what_an_outage_cut_off_goes_on_with_the_same_key(
    sandbox_stripe, organisation, flow, status
):
    sandbox_stripe.control("outage", status=status)
    for _ in range(2):
        with pytest.raises(TryAgainLater):
            promise(organisation, flow=flow, idempotency_key="k")
    cut_off = Donation.objects.get()
    assert (cut_off.status, cut_off.checkout_session, cut_off.payment_intent) == ("pending", "", "")

    sandbox_stripe.control("outage")
    promised = promise(organisation, flow=flow, idempotency_key="k")

    assert (promised.donation, promised.is_new) == (cut_off, False)
    assert promised.donation.checkout_url or promised.client_secret


def test_what_was_opened_but_not_taken_down_is_found_again(sandbox_stripe, organisation):
    first = promise(organisation, flow=INTENT, idempotency_key="k")
    Donation.objects.update(payment_intent="")

    again = promise(organisation, flow=INTENT, idempotency_key="k")

    assert again.client_secret == first.client_secret
    assert len(sandbox_stripe.list("payment_intents", organisation.stripe_account)) == 1


@pytest.mark.parametrize("flow", [CHECKOUT, INTENT])
def test_what_got_no_answer_in_time_goes_on_with_the_same_key(
    organisation, settings, monkeypatch, flow
):
    monkeypatch.setattr("common.stripe_api.READ_SECONDS", 0.1)
    address = settings.STRIPE_API_BASE
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{silent.getsockname()[1]}"
        client.cache_clear()
        with pytest.raises(TryAgainLater):
            promise(organisation, flow=flow, idempotency_key="k")
    settings.STRIPE_API_BASE = address
    monkeypatch.undo()
    client.cache_clear()

    promised = promise(organisation, flow=flow, idempotency_key="k")

    assert (promised.donation, promised.is_new) == (Donation.objects.get(), False)
    assert promised.donation.checkout_url or promised.client_secret


def test_nobody_listens(organisation, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    client.cache_clear()

    with pytest.raises(TryAgainLater):
        promise(organisation)


@pytest.mark.parametrize("flow", [CHECKOUT, INTENT])
def test_stripes_refusal_is_told_in_a_code(organisation, flow, caplog):
    organisation.stripe_account = "acct_gone"

    with pytest.raises(StripeRefused, match=r"^Stripe refused: \w+\.$"):
        promise(organisation, flow=flow, donor_email="zoe@example.org")

    assert "zoe@example.org" not in caplog.text + str([vars(each) for each in caplog.records])


@pytest.mark.parametrize("currency", ["eur", "XXX", "CREDIT", "", "EURO", "BTC"])
def test_a_gift_in_what_is_no_currency_is_refused(organisation, currency):
    with pytest.raises(UnknownCurrency):
        promise(organisation, currency=currency)

    assert not Donation.objects.exists()


def test_an_amount_out_of_range_is_refused(organisation):
    with pytest.raises(AmountOutOfRange, match=r"between 1\.00 EUR and 999,999\.00 EUR"):
        promise(organisation, amount=99)

    assert not Donation.objects.exists()


@pytest.mark.parametrize("flow", [CHECKOUT, INTENT])
def test_both_flows_have_the_limits_that_the_organisation_set(organisation, flow):
    terms = {"presets": [2000, 3000, 4000], "least": 2000, "most": 4000}
    set_terms(organisation=organisation, currency="EUR", **terms)

    for amount in (1999, 4001):
        with pytest.raises(AmountOutOfRange):
            promise(organisation, flow=flow, amount=amount)
    with pytest.raises(CurrencyNotOffered):
        promise(organisation, flow=flow, amount=2000, currency="SEK")

    assert promise(organisation, flow=flow, amount=2000).is_new


def test_a_promise_stays_one_when_the_limits_change(organisation):
    first = promise(organisation, idempotency_key="k")
    terms = {"presets": [6000, 7000, 8000], "least": 6000, "most": 9000}
    set_terms(organisation=organisation, currency="EUR", **terms)

    again = promise(organisation, idempotency_key="k")

    assert (again.donation, again.is_new) == (first.donation, False)
    with pytest.raises(AmountOutOfRange):
        promise(organisation, idempotency_key="another")


def test_a_payment_page_expires_after_two_hours(sandbox_stripe, organisation):
    donation = promise(organisation).donation

    account = organisation.stripe_account
    session = sandbox_stripe.find("checkout/sessions", donation.checkout_session, account)
    assert session["expires_at"] == int(donation.created_at.timestamp()) + OPEN_SECONDS


@pytest.mark.parametrize("waited", [SLOT_SECONDS - 1, SLOT_SECONDS, 26 * 3600])
def test_what_is_sent_again_late_gets_a_page_that_is_open_long_enough(
    sandbox_stripe, organisation, waited
):
    sandbox_stripe.control("outage", status=500)
    with pytest.raises(TryAgainLater):
        promise(organisation, idempotency_key="k")
    sandbox_stripe.control("outage")
    Donation.objects.update(created_at=timezone.now() - timedelta(seconds=waited))

    donation = promise(organisation, idempotency_key="k").donation

    account = organisation.stripe_account
    session = sandbox_stripe.find("checkout/sessions", donation.checkout_session, account)
    left = session["expires_at"] - time.time()
    assert 30 * 60 <= left <= OPEN_SECONDS


def test_two_forms_that_are_sent_at_the_same_moment_are_one_gift_with_one_page(
    transactional_db, sandbox_stripe
):
    account = create_sandbox_account(country="FR", currency="EUR")
    OrganisationFactory(slug="eau-vive", stripe_account=account)
    gift = {
        "currency": "EUR",
        "amount": "2500",
        "fund": "general",
        "email": "zoe@example.org",
        "key": "a-key-of-sixteen-characters",
    }
    start = threading.Barrier(2)

    def send(_):
        start.wait()
        try:
            return Client().post("/o/eau-vive/donate", gift)["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        pages = set(pool.map(send, range(2)))

    assert len(pages) == Donation.objects.count() == 1
    assert len(sandbox_stripe.list("checkout/sessions", account)) == 1


class Busy(stripe.HTTPClient):
    """Stripe, at work on the same request of somebody else, who is served meanwhile."""

    name = "busy"

    def request(self, method, url, headers, post_data=None):
        """Let the other go on, and ask this one to wait."""
        Donation.objects.update(checkout_session="cs_1", checkout_url="https://checkout.example/")
        error = {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "Wait."}
        return json.dumps({"error": error}), 409, {}


def test_who_is_asked_to_wait_goes_to_the_page_that_the_other_opened(organisation, monkeypatch):
    busy = stripe.StripeClient("sk_test_x", http_client=Busy(), max_network_retries=0)
    monkeypatch.setattr("donations.services.promises.client", lambda: busy)

    assert promise(organisation).donation.checkout_url == "https://checkout.example/"


def test_a_fund_must_be_the_organisations_own(organisation):
    FundFactory(slug="theirs")

    for fund in ("theirs", "", "General"):
        with pytest.raises(UnknownFund):
            promise(organisation, fund=fund)

    assert not Donation.objects.exists()


def test_who_takes_no_gifts(organisation):
    applicant = ApplicantFactory(stripe_account="acct_applied")
    unconnected = OrganisationFactory(stripe_account=None)

    for each in (applicant, unconnected):
        with pytest.raises(TakesNoGifts):
            promise(each)

    assert not Donation.objects.exists()
