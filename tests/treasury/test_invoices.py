"""Which invoice a charge pays: asked only where a charge names no gift and gifts repeat."""

import pytest

from donations.services.subscriptions import Claim, InvoiceFacts
from tests.factories import RecurringGiftFactory
from tests.stripe_resources import charge, new, transaction
from tests.treasury.movements import amounts, book_all, cases, charged
from tests.treasury.test_reading import paths
from treasury.services.reading import read_account

SUBSCRIBED = {
    "type": "subscription_details",
    "subscription_details": {"subscription": "sub_1", "metadata": {"recurring_id": "rec_1"}},
}

INVOICE = InvoiceFacts("in_1", Claim("sub_1"), False, 1, None, "")


@pytest.fixture
def account(stripe_account):
    """An account on which a charge of 10.00 EUR pays an invoice of a subscription."""

    def put(*, pays: bool = True, parent=SUBSCRIBED, donation: str = "", intent="pi_1"):
        paid = charge(1000, donation, payment_intent=intent)
        invoice = {
            "id": "in_1",
            "billing_reason": "subscription_cycle",
            "attempt_count": 2,
            "next_payment_attempt": None,
            "parent": parent,
        }
        payment = {
            "id": new("inpay"),
            "invoice": "in_1",
            "payment": {"type": "payment_intent", "payment_intent": "pi_1" if pays else "pi_2"},
        }
        stripe_account.put("charges", paid)
        stripe_account.put("invoices", invoice)
        stripe_account.put("invoice_payments", payment)
        stripe_account.put("balance_transactions", transaction("charge", 1000, source=paid["id"]))

    return put


@pytest.mark.parametrize("intent", ["pi_1", {"id": "pi_1", "object": "payment_intent"}])
def test_a_charge_is_followed_to_its_subscription(stripe_server, organisation, account, intent):
    RecurringGiftFactory(organisation=organisation)
    account(intent=intent)

    [movement] = read_account(organisation).movements

    assert movement.invoice.claim == Claim("sub_1", "rec_1", "")
    assert (movement.invoice.id, movement.invoice.is_first, movement.claim) == (
        "in_1",
        False,
        "in_1",
    )
    assert paths(stripe_server)[1:-1] == ["invoice_payments", "invoices/in_1"]


def test_a_charge_that_pays_no_invoice_has_none(stripe_server, organisation, account):
    RecurringGiftFactory(organisation=organisation)
    account(pays=False)

    [movement] = read_account(organisation).movements

    assert movement.invoice is None
    assert paths(stripe_server)[1:-1] == ["invoice_payments"]


def test_an_invoice_that_does_not_repeat_is_none_of_ours(organisation, account):
    RecurringGiftFactory(organisation=organisation)
    account(parent=None)

    [movement] = read_account(organisation).movements

    assert (movement.invoice, movement.claim) == (None, "")


@pytest.mark.parametrize(("donation", "intent"), [("don_1", "pi_1"), ("", None)])
def test_stripe_is_not_asked_about_a_charge_that_names_a_gift(
    stripe_server, organisation, account, donation, intent
):
    RecurringGiftFactory(organisation=organisation)
    account(donation=donation, intent=intent)

    read_account(organisation)

    assert paths(stripe_server) == ["balance_transactions", "balance"]


def test_stripe_is_not_asked_where_nothing_repeats(stripe_server, organisation, account):
    RecurringGiftFactory()
    account()

    read_account(organisation)

    assert paths(stripe_server) == ["balance_transactions", "balance"]


def test_two_charges_of_one_invoice_are_one_gift_and_a_case(organisation):
    recurring = RecurringGiftFactory(organisation=organisation, subscription="sub_1")
    first, second = (charged(1000, invoice=INVOICE) for _ in range(2))

    book_all(organisation, first, second)

    assert [gift.status for gift in recurring.payments.all()] == ["settled"]
    assert cases() == [("mismatch", second.id)]
    assert amounts(organisation)["external", "EUR"] == 1000


def test_a_charge_that_brought_nothing_begins_no_gift(organisation):
    recurring = RecurringGiftFactory(organisation=organisation, subscription="sub_1")

    book_all(organisation, charged(0, given=1000, invoice=INVOICE))

    assert not recurring.payments.exists()
