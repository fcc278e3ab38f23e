"""Giving a gift back in the console: read what it costs, confirm, once; and the donor's page."""

import re

import pytest
from django.test import Client

from common import stripe_api
from donations.models import Donation, RefundRequest
from donations.services.promises import journey_url
from organisations.models import Membership
from tests.donations.refunds import AT_ONCE, DISPUTED, FAILS_LATER, booked, refunded, settled_gift
from tests.donations.test_console import browser_of, words_of
from tests.pages.conftest import text_of


@pytest.fixture
def gift(sandbox_stripe, organisation) -> Donation:
    """A gift of 50.00 EUR in the ledger."""
    return settled_gift(sandbox_stripe, organisation)


@pytest.fixture
def member(organisation) -> Client:
    """The browser of a member who answers for the money."""
    return browser_of(organisation, Membership.Role.FINANCE)


def page_of(gift) -> str:
    return f"/dashboard/eau-vive/gifts/{gift.id}/refund"


def key_in(response) -> str:
    """Return the key of the form on a page."""
    [key] = re.findall(r'name="key" value="([^"]+)"', response.content.decode())
    return key


def typed(client, gift, **fields):
    """Fill in the form and read the page on which it is confirmed."""
    form = {
        "key": key_in(client.get(page_of(gift))),
        "what": "all",
        "part": "",
        "reason": "requested_by_customer",
        "note": "",
        **fields,
    }
    return form, client.post(page_of(gift), form)


def confirmed(client, gift, **fields):
    """Fill in the form, and press the button on the page after it; return what was posted too."""
    form, asked = typed(client, gift, **fields)
    assert asked.status_code == 200, words_of(asked, 400)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.content.decode()))
    hidden.pop("csrfmiddlewaretoken", None)
    assert hidden == {**form, "confirmed": hidden["confirmed"], "locale": "en"}
    return hidden, client.post(page_of(gift), hidden)


def at_stripe(sandbox, gift):
    return [one["amount"] for one in sandbox.list("refunds", gift.organisation.stripe_account)]


def test_a_gift_is_given_back_in_two_steps(member, sandbox_stripe, gift):
    asked = words_of(member.get(page_of(gift)))
    form, read = typed(member, gift, note="Called us")
    page = words_of(read)
    assert at_stripe(sandbox_stripe, gift) == []

    done = member.post(page_of(gift), {**form, "confirmed": "5000"})

    assert "All that is left: 50.00 EUR" in asked
    assert "Nothing is given back yet" in asked
    for words in (
        "Give back 50.00 EUR ?",
        "Stripe keeps the processing fee 1.00 EUR",
        "Left of this gift for Eau Vive −1.00 EUR",
        "does not come back: Eau Vive pays it from other money.",
        "after five to ten business days",
        "It cannot be called back.",
        "Why The donor asked for it Note Called us",
    ):
        assert words in page
    assert (done.status_code, done["Location"]) == (303, f"/dashboard/eau-vive/gifts/{gift.id}")
    assert at_stripe(sandbox_stripe, gift) == [5000]
    refund = RefundRequest.objects.get()
    assert (refund.status, refund.note) == ("succeeded", "Called us")
    assert refund.requested_by == Membership.objects.get().user
    assert "Given back" in words_of(member.get(done["Location"]))


def test_a_part_is_given_back(member, sandbox_stripe, gift):
    _, done = confirmed(member, gift, what="part", part="12.34", reason="fraudulent")

    assert done.status_code == 303
    assert at_stripe(sandbox_stripe, gift) == [1234]
    again = member.get(page_of(gift))
    assert "All that is left: 37.66 EUR" in words_of(again)
    assert "Up to 37.66 EUR, written like 40 or 1,000.50" in words_of(again)


def test_two_clicks_and_the_back_button_are_one_refund(member, sandbox_stripe, gift):
    hidden, first = confirmed(member, gift, what="part", part="20")

    second = member.post(page_of(gift), hidden)

    assert (first.status_code, second.status_code) == (303, 303)
    assert at_stripe(sandbox_stripe, gift) == [2000]


def test_going_back_when_all_was_given_back_shows_the_first_refund(member, sandbox_stripe, gift):
    hidden, _ = confirmed(member, gift)

    again = member.post(page_of(gift), hidden)

    assert (again.status_code, again["Location"]) == (303, f"/dashboard/eau-vive/gifts/{gift.id}")
    assert at_stripe(sandbox_stripe, gift) == [5000]
    assert "All of this gift was given back" in words_of(member.get(page_of(gift)), 409)


def test_a_form_that_was_changed_after_it_was_sent_is_read_again(member, sandbox_stripe, gift):
    hidden, _ = confirmed(member, gift, what="part", part="20")

    changed = member.post(page_of(gift), {**hidden, "confirmed": "1000"})

    assert "You changed the refund after sending it once." in words_of(changed, 409)
    assert key_in(changed) != hidden["key"]
    assert at_stripe(sandbox_stripe, gift) == [2000]


def test_two_members_at_once_give_back_no_more_than_there_is(
    member, organisation, sandbox_stripe, gift
):
    other = browser_of(organisation)
    form, _ = typed(other, gift)
    confirmed(member, gift, what="part", part="20")

    late = other.post(page_of(gift), {**form, "confirmed": "5000"})

    assert "Only 30.00 EUR of this gift can still be given back." in words_of(late, 400)
    assert at_stripe(sandbox_stripe, gift) == [2000]


def test_the_second_member_is_told_that_nothing_is_left(member, organisation, sandbox_stripe, gift):
    other = browser_of(organisation)
    form, _ = typed(other, gift)
    confirmed(member, gift)

    unread = other.post(page_of(gift), form)
    late = other.post(page_of(gift), {**form, "confirmed": "5000"})

    for response in (unread, late):
        assert "All of this gift was given back, or is on its way back." in words_of(response, 409)
    assert at_stripe(sandbox_stripe, gift) == [5000]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"what": "part", "part": "7,5"}, "can be read as 7.50 or as 75"),
        ({"what": "part", "part": "1.000"}, "can be read as 1 or as 1,000"),
        ({"what": "part", "part": ""}, "Enter an amount"),
        ({"what": "part", "part": "0"}, "Enter more than nothing, and no more than 50.00 EUR."),
        ({"what": "part", "part": "50.01"}, "no more than 50.00 EUR."),
        ({"what": "some"}, "Choose all or a part."),
        ({"what": ""}, "Choose how much to give back."),
        ({"reason": "whim"}, "Choose one of these reasons."),
        ({"note": "n" * 501}, "at most 500 characters"),
        ({"key": ""}, "Open it again from the gift’s page."),
        ({"key": "short"}, "Open it again from the gift’s page."),
        ({"part": "\0"}, "Null characters are not allowed."),
        ({"confirmed": "-1"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused_in_words(member, sandbox_stripe, gift, fields, words):
    _, response = typed(member, gift, **fields)

    assert words in words_of(response, 400)
    assert "<title>Error:" in response.content.decode()
    assert at_stripe(sandbox_stripe, gift) == []


def test_a_refusal_of_stripe_stands_on_the_gifts_page(member, organisation, sandbox_stripe, gift):
    [charge] = sandbox_stripe.list("charges", organisation.stripe_account)
    sandbox_stripe.control(f"charges/{charge['id']}/dispute")

    _, done = confirmed(member, gift)

    page = words_of(member.get(done["Location"]))
    assert "Stripe refused the refund of 50.00 EUR The donor has disputed this payment" in page


def test_a_refund_that_comes_back_says_what_to_do(member, sandbox_stripe, organisation):
    gift = settled_gift(sandbox_stripe, organisation, card=FAILS_LATER)

    _, done = confirmed(member, gift)

    page = words_of(member.get(done["Location"]))
    assert "The refund of 50.00 EUR came back" in page
    assert "Ask the donor for a bank account" in page
    booked(organisation)
    gift.refresh_from_db()
    assert gift.status == "settled"


def test_a_gift_in_dispute_is_not_given_back(member, sandbox_stripe, organisation):
    gift = settled_gift(sandbox_stripe, organisation, card=DISPUTED)

    assert "would pay it twice" in words_of(member.get(page_of(gift)), 409)


# What the page says before


def test_a_balance_that_is_too_small_is_said(member, sandbox_stripe, organisation):
    gift = settled_gift(sandbox_stripe, organisation, card=AT_ONCE)
    sandbox_stripe.control("payouts", account=organisation.stripe_account)
    booked(organisation)

    page = words_of(typed(member, gift)[1])

    assert "Your Stripe balance of 0.00 EUR is too small: 50.00 EUR are missing." in page


def test_a_part_that_leaves_something_costs_nothing_more(member, gift):
    page = words_of(typed(member, gift, what="part", part="10")[1])

    assert "Left of this gift for Eau Vive 39.00 EUR" in page
    assert "does not come back. It is taken" in page


def test_what_is_on_its_way_already_counts(member, gift):
    confirmed(member, gift, what="part", part="30")

    page = words_of(typed(member, gift)[1])

    assert "The donor gets 20.00 EUR On its way already 30.00 EUR" in page
    assert "Left of this gift for Eau Vive −1.00 EUR" in page
    assert "1.00 EUR are missing" in page


def test_a_gift_in_another_currency_is_changed_at_the_rate_of_that_day(
    member, sandbox_stripe, organisation
):
    gift = settled_gift(sandbox_stripe, organisation, amount=8000, currency="JPY")

    page = words_of(typed(member, gift)[1])

    assert "Stripe changes EUR into JPY at the rate of that day" in page
    assert "Left of this gift" not in page


def test_a_bank_debit_warns_of_paying_twice(member, gift, monkeypatch):
    monkeypatch.setattr("donations.views.refunds.charge_of", lambda *_: "py_1")

    page = words_of(typed(member, gift)[1])

    assert "takes three to five business days and can come back" in page
    assert "disputed for eight weeks without a reason" in page
    assert "after five to ten business days" not in page


def test_fraud_as_the_reason_blocks_the_card(member, gift):
    page = words_of(typed(member, gift, reason="fraudulent")[1])

    assert "Stripe refuses this card and this e-mail address from now on" in page


# The donor's page


def test_the_donor_sees_a_refund_under_way(client, gift):
    refunded(gift, amount=2000)

    page = text_of(client.get(journey_url(gift)))

    assert "Refund of 20.00 EUR On its way. Banks take up to ten days to show it" in page
    booked(gift.organisation)
    assert "On its way" not in text_of(client.get(journey_url(gift)))


def test_the_donor_sees_a_refund_that_stripe_has_not_answered(client, settings, gift):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    stripe_api.client.cache_clear()
    refunded(gift)

    page = text_of(client.get(journey_url(gift)))

    assert "Eau Vive has asked for it; Stripe has not answered yet" in page
