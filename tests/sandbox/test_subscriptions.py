"""Gifts that come again: begun on the hosted page, renewed, changed, paused, ended."""

from datetime import UTC, datetime

import pytest
import requests
import stripe

from sandbox.periods import period_end, rhythm
from tests.sandbox.test_hosted_page import FILLED, submit

BEGUN = int(datetime(2026, 1, 31, 9, tzinfo=UTC).timestamp())
FEBRUARY = int(datetime(2026, 2, 28, 9, tzinfo=UTC).timestamp())
MARCH = int(datetime(2026, 3, 31, 9, tzinfo=UTC).timestamp())
DAY = 86_400


def options(account):
    return {"stripe_account": account}


def period(subscription):
    [item] = subscription["items"]["data"]
    return item["current_period_start"], item["current_period_end"]


def renewed(sandbox, subscription, times=1):
    for _ in range(times):
        found = sandbox.control(f"subscriptions/{subscription.id}/renew")
    return found


def invoices(sandbox, account, **filters):
    """Return the account's invoices, oldest first."""
    return sandbox.v1.invoices.list(filters, options(account)).data[::-1]


def told(sandbox, account):
    sandbox.flush()
    return sandbox.receiver.kinds(account)


@pytest.fixture
def account(sandbox):
    account = sandbox.account(business_profile={"name": "Eau Vive"})
    sandbox.control("clock", account=account, now=BEGUN)
    return account


def begun(sandbox, account, paid):
    """Return the subscription that a session began, its first invoice, and what paid that."""
    subscription = sandbox.v1.subscriptions.retrieve(
        paid["subscription"],
        {"expand": ["latest_invoice.payments", "customer", "latest_invoice.confirmation_secret"]},
        options(account),
    )
    [payment] = subscription.latest_invoice.payments.data
    intent = sandbox.v1.payment_intents.retrieve(
        payment.payment.payment_intent, {"expand": ["latest_charge"]}, options(account)
    )
    return subscription, subscription.latest_invoice, intent


def test_paying_begins_a_subscription_with_a_paid_invoice(sandbox, account):
    session = sandbox.monthly(
        account,
        customer_email="zoe@example.org",
        client_reference_id="don_1",
        metadata={"of": "session"},
        subscription_data={"metadata": {"donation": "don_1"}, "description": "Monthly gift"},
    )
    assert (session.mode, session.customer, session.payment_intent) == ("subscription", None, None)

    paid = sandbox.pay(session.id, name="Zoë")

    subscription, invoice, _ = begun(sandbox, account, paid)
    states = (paid["status"], paid["payment_status"], paid["payment_intent"])
    assert states == ("complete", "paid", None)
    assert (paid["invoice"], paid["customer"]) == (invoice.id, subscription.customer.id)
    assert (subscription.status, period(subscription)) == ("active", (BEGUN, FEBRUARY))
    assert subscription.metadata.to_dict() == {"donation": "don_1"}
    assert subscription.customer.email == "zoe@example.org"
    assert invoice.parent.subscription_details.metadata.to_dict() == {"donation": "don_1"}
    assert invoice.parent.subscription_details.subscription == subscription.id
    reason = (invoice.status, invoice.amount_paid, invoice.billing_reason)
    assert reason == ("paid", 1000, "subscription_create")
    assert invoice.lines.data[0].description.endswith(" Gift (10.00 EUR monthly)")


def test_only_the_invoices_payment_ties_the_charge_to_the_subscription(sandbox, account):
    metadata = {"metadata": {"donation": "don_1"}}
    session = sandbox.monthly(account, metadata={"of": "session"}, subscription_data=metadata)

    paid = sandbox.pay(session.id)

    subscription, invoice, intent = begun(sandbox, account, paid)
    assert invoice.confirmation_secret.client_secret == intent.client_secret
    assert (intent.status, intent.metadata.to_dict()) == ("succeeded", {})
    assert intent.latest_charge.customer == subscription.customer.id
    assert intent.latest_charge.metadata.to_dict() == {}
    assert intent.latest_charge.payment_method == subscription.default_payment_method


def test_paying_tells_it_as_stripe_does(sandbox, account):
    sandbox.subscription(account)

    assert told(sandbox, account) == [
        "customer.created",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.created",
        "invoice.finalized",
        "customer.subscription.created",
        "invoice.paid",
        "invoice_payment.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
        "charge.updated",
    ]


def test_the_hosted_page_says_how_often(sandbox, account):
    session = sandbox.monthly(account, interval="year")

    page = requests.get(session.url, timeout=10).text
    declined = submit(session, card_number="4000000000000341")
    paid = submit(session)

    assert "Pay 10.00 EUR yearly</button>" in page
    assert (declined.status_code, paid.status_code) == (402, 303)
    [customer] = sandbox.v1.customers.list({"email": FILLED["email"]}, options(account)).data
    assert sandbox.v1.customers.retrieve(customer.id, None, options(account)).name == FILLED["name"]
    [subscription] = sandbox.v1.subscriptions.list({"customer": customer.id}, options(account)).data
    assert period(subscription) == (BEGUN, int(datetime(2027, 1, 31, 9, tzinfo=UTC).timestamp()))


def test_a_renewal_is_the_next_periods_invoice_and_a_gift_of_its_own(sandbox, account):
    subscription = sandbox.subscription(account)

    second = renewed(sandbox, subscription, times=2)

    assert period(second) == (MARCH, int(datetime(2026, 4, 30, 9, tzinfo=UTC).timestamp()))
    first, february, march = invoices(sandbox, account, subscription=subscription.id)
    assert [row.billing_reason for row in (first, february)] == [
        "subscription_create",
        "subscription_cycle",
    ]
    assert (march.created, march.period_start, march.period_end) == (MARCH, FEBRUARY, MARCH)
    assert (march.status, march.attempt_count) == ("paid", 1)
    assert second["latest_invoice"] == march.id
    prefix, number = march.number.split("-")
    assert (number, first.number) == ("0003", f"{prefix}-0001")
    payments = sandbox.v1.invoice_payments.list({"invoice": march.id}, options(account)).data
    [payment] = payments
    intent = payment.payment.payment_intent
    filters = {"payment": {"type": "payment_intent", "payment_intent": intent}, "status": "paid"}
    [same] = sandbox.v1.invoice_payments.list(filters, options(account)).data
    assert same.id == payment.id
    retrieved = sandbox.v1.invoice_payments.retrieve(payment.id, None, options(account))
    assert retrieved.amount_paid == 1000
    sandbox.flush()
    assert sandbox.balance(account) == {"eur": 3 * (1000 - 40)}


def test_a_renewal_tells_it_as_stripe_does(sandbox, account):
    subscription = sandbox.subscription(account)
    before = len(told(sandbox, account))

    renewed(sandbox, subscription)

    assert told(sandbox, account)[before:] == [
        "invoice.created",
        "customer.subscription.updated",
        "invoice.finalized",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "invoice.paid",
        "invoice_payment.paid",
        "invoice.payment_succeeded",
        "charge.updated",
    ]
    [change] = [
        event
        for event in sandbox.receiver.of(account)
        if event.type == "customer.subscription.updated"
    ]
    assert period(change.data.previous_attributes) == (BEGUN, FEBRUARY)


def test_with_the_wall_clock_a_renewal_comes_early(sandbox):
    account = sandbox.account()
    subscription = sandbox.subscription(account)

    early = renewed(sandbox, subscription)

    _, ended = period(subscription)
    assert period(early)[0] == ended
    [_, invoice] = invoices(sandbox, account)
    assert invoice.created < ended


def test_a_renewal_that_fails_is_tried_three_times_more(sandbox, account):
    subscription = sandbox.subscription(account)
    sandbox.control(f"subscriptions/{subscription.id}/card", card_number="4000000000000341")

    failed = renewed(sandbox, subscription)

    [_, invoice] = invoices(sandbox, account)
    assert (failed["status"], invoice.status) == ("past_due", "open")
    assert (invoice.attempt_count, invoice.amount_remaining) == (1, 1000)
    moments = [invoice.next_payment_attempt]
    for _ in range(2):
        tried = sandbox.control(f"invoices/{invoice.id}/retry")
        moments.append(tried["next_payment_attempt"])
    assert moments == [FEBRUARY + days * DAY for days in (3, 8, 15)]
    last = sandbox.control(f"invoices/{invoice.id}/retry")
    assert (last["attempt_count"], last["next_payment_attempt"]) == (4, None)
    assert (last["status"], last["auto_advance"]) == ("open", False)
    ended = sandbox.v1.subscriptions.retrieve(subscription.id, None, options(account))
    assert (ended.status, ended.cancellation_details.reason) == ("canceled", "payment_failed")
    assert ended.ended_at == FEBRUARY + 15 * DAY
    kinds = told(sandbox, account)
    assert kinds.count("invoice.payment_failed") == kinds.count("charge.failed") == 4
    assert kinds[-1] == "customer.subscription.deleted"
    sandbox.control(f"invoices/{invoice.id}/retry", expect=400)
    sandbox.control(f"subscriptions/{subscription.id}/renew", expect=400)


def test_a_further_try_succeeds_with_another_card_on_file(sandbox, account):
    subscription = sandbox.subscription(account)
    sandbox.control(f"subscriptions/{subscription.id}/card", card_number="4000000000009995")
    renewed(sandbox, subscription)
    [_, invoice] = invoices(sandbox, account)
    sandbox.control(f"subscriptions/{subscription.id}/card", card_number="4242424242424242")

    paid = sandbox.control(f"invoices/{invoice.id}/retry")

    mended = sandbox.v1.subscriptions.retrieve(subscription.id, None, options(account))
    assert (paid["status"], paid["attempt_count"], mended.status) == ("paid", 2, "active")
    assert paid["next_payment_attempt"] is None


def test_the_invoices_page_takes_another_card_and_keeps_it(sandbox, account):
    subscription = sandbox.subscription(account)
    sandbox.control(f"subscriptions/{subscription.id}/card", card_number="4000000000000341")
    renewed(sandbox, subscription)
    [invoice] = invoices(sandbox, account, status="open")
    url = invoice.hosted_invoice_url
    form = requests.get(url, timeout=10).text

    wrong = requests.post(url, data={**FILLED, "cvc": "1"}, timeout=10)
    again = requests.post(url, data={**FILLED, "card_number": "4000000000000002"}, timeout=10)
    paid = requests.post(url, data=FILLED, allow_redirects=False, timeout=10)

    assert "Pay 10.00 EUR</button>" in form
    assert 'value="zoe@example.org"' in form
    assert (wrong.status_code, again.status_code) == (400, 402)
    assert "Your card was declined." in again.text
    assert paid.status_code == 303
    assert "is paid. Thank you." in requests.get(url, timeout=10).text
    mended = sandbox.v1.subscriptions.retrieve(subscription.id, None, options(account))
    [_, found] = invoices(sandbox, account)
    # A payer's own tries do not count: the schedule of Stripe's stays as it was.
    assert (mended.status, found.status, found.attempt_count) == ("active", "paid", 1)
    assert renewed(sandbox, subscription)["status"] == "active"
    assert [row.status for row in invoices(sandbox, account)] == ["paid"] * 3


def test_a_card_that_needs_consent_pays_first_and_asks_at_the_renewal(sandbox, account):
    session = sandbox.monthly(account)
    submit(session, card_number="4000002760003184")
    [subscription] = sandbox.v1.subscriptions.list(None, options(account)).data

    due = renewed(sandbox, subscription)

    [invoice] = invoices(sandbox, account, status="open")
    expand = {"expand": ["payments.data.payment.payment_intent"]}
    shown = sandbox.v1.invoices.retrieve(invoice.id, expand, options(account))
    intent = shown.payments.data[0].payment.payment_intent
    assert (due["status"], intent.status) == ("past_due", "requires_action")
    kinds = told(sandbox, account)
    assert kinds[-3:] == [
        "payment_intent.requires_action",
        "invoice.payment_action_required",
        "customer.subscription.updated",
    ]
    assert "invoice.payment_failed" not in kinds
    with pytest.raises(stripe.CardError) as refusal:
        sandbox.v1.invoices.pay(invoice.id, None, options(account))
    assert refusal.value.code == "invoice_payment_intent_requires_action"
    consented = requests.post(
        invoice.hosted_invoice_url,
        data={**FILLED, "card_number": "4000002760003184"},
        timeout=10,
    )
    assert "is paid. Thank you." in consented.text


def test_an_open_invoice_is_paid_by_a_call(sandbox, account):
    subscription = sandbox.subscription(account)
    sandbox.control(f"subscriptions/{subscription.id}/card", card_number="4000000000000341")
    renewed(sandbox, subscription)
    [invoice] = invoices(sandbox, account, status="open")
    pay = sandbox.v1.invoices.pay

    with pytest.raises(stripe.CardError) as declined:
        pay(invoice.id, None, options(account))
    paid = pay(invoice.id, {"payment_method": "pm_card_visa"}, options(account))
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        pay(invoice.id, {"payment_method": "pm_card_visa"}, options(account))

    assert declined.value.code == "card_declined"
    assert (paid.status, paid.attempt_count) == ("paid", 1)
    assert refusal.value.code == "invoice_not_open"


def test_the_amount_changes_from_the_next_period_on(sandbox, account):
    subscription = sandbox.subscription(account)
    [item] = subscription["items"].data
    price = {
        "currency": "eur",
        "product": item.price.product,
        "recurring": {"interval": "month"},
        "unit_amount": 2500,
    }

    changed = sandbox.v1.subscriptions.update(
        subscription.id,
        {
            "items": [{"id": item.id, "price_data": price}],
            "proration_behavior": "none",
            "metadata": {"raised": "yes"},
            "description": "A larger gift",
        },
        options(account),
    )
    renewed(sandbox, subscription)

    sandbox.flush()
    [found] = changed["items"].data
    assert (found.id, found.price.unit_amount, found.plan.amount) == (item.id, 2500, 2500)
    assert [row.amount_paid for row in invoices(sandbox, account)] == [1000, 2500]
    listed = sandbox.v1.subscriptions.list({"price": found.price.id}, options(account)).data
    assert [row.id for row in listed] == [subscription.id]
    changes = [
        event.data.previous_attributes.to_dict()
        for event in sandbox.receiver.of(account)
        if event.type == "customer.subscription.updated"
    ]
    assert changes[0].keys() == {"description", "items", "metadata"}


def test_a_setting_of_payments_is_changed_and_the_others_stay(sandbox, account):
    subscription = sandbox.subscription(account)
    before = subscription.payment_settings.to_dict()
    kept = {"save_default_payment_method": "on_subscription"}

    changed = sandbox.v1.subscriptions.update(
        subscription.id, {"payment_settings": kept}, options(account)
    )

    assert changed.payment_settings.to_dict() == {**before, **kept} != before


def test_an_update_that_changes_nothing_tells_nothing(sandbox, account):
    subscription = sandbox.subscription(account)
    [item] = subscription["items"].data

    same = sandbox.v1.subscriptions.update(
        subscription.id,
        {"items": [{"id": item.id, "quantity": 1}], "proration_behavior": "none"},
        options(account),
    )

    assert same.to_dict() == subscription.to_dict()
    assert "customer.subscription.updated" not in told(sandbox, account)


@pytest.mark.parametrize(
    ("behavior", "status", "event"),
    [
        ("void", "void", "invoice.voided"),
        ("mark_uncollectible", "uncollectible", "invoice.marked_uncollectible"),
        ("keep_as_draft", "draft", "invoice.created"),
    ],
)
def test_a_paused_collection_charges_nobody_until_it_ends(
    sandbox, account, behavior, status, event
):
    subscription = sandbox.subscription(account)
    update = sandbox.v1.subscriptions.update
    paused = update(subscription.id, {"pause_collection": {"behavior": behavior}}, options(account))

    renewed(sandbox, subscription)

    assert (paused.status, paused.pause_collection.behavior) == ("active", behavior)
    [_, set_aside] = invoices(sandbox, account)
    assert (set_aside.status, set_aside.amount_paid) == (status, 0)
    assert event in told(sandbox, account)
    shown = sandbox.v1.invoices.retrieve(
        set_aside.id, {"expand": ["confirmation_secret", "payments"]}, options(account)
    )
    assert (shown.confirmation_secret, shown.payments.data) == (None, [])
    page = requests.get(f"{sandbox.url}/invoice/{set_aside.id}", timeout=10)
    assert page.status_code == 200 and "<form" not in page.text
    ended = update(subscription.id, {"pause_collection": ""}, options(account))
    renewed(sandbox, subscription)
    assert ended.pause_collection is None
    assert invoices(sandbox, account)[-1].status == "paid"


def test_a_pause_may_end_by_itself(sandbox, account):
    subscription = sandbox.subscription(account)
    pause = {"behavior": "void", "resumes_at": MARCH}
    sandbox.v1.subscriptions.update(subscription.id, {"pause_collection": pause}, options(account))

    resumed = renewed(sandbox, subscription, times=2)

    assert resumed["pause_collection"] is None
    assert [row.status for row in invoices(sandbox, account)] == ["paid", "void", "paid"]


def test_a_subscription_may_end_with_its_period_or_go_on_after_all(sandbox, account):
    subscription = sandbox.subscription(account)
    update = sandbox.v1.subscriptions.update

    leaving = update(
        subscription.id,
        {"cancel_at_period_end": True, "cancellation_details": {"comment": "Moving"}},
        options(account),
    )
    staying = update(subscription.id, {"cancel_at_period_end": False}, options(account))
    update(subscription.id, {"cancel_at_period_end": True}, options(account))
    ended = renewed(sandbox, subscription)

    assert (leaving.status, leaving.cancel_at, leaving.canceled_at) == ("active", FEBRUARY, BEGUN)
    assert leaving.cancellation_details.comment == "Moving"
    assert (staying.cancel_at, staying.cancellation_details.reason) == (None, None)
    assert (ended["status"], ended["ended_at"], ended["canceled_at"]) == (
        "canceled",
        FEBRUARY,
        BEGUN,
    )
    assert ended["cancellation_details"]["reason"] == "cancellation_requested"
    assert len(invoices(sandbox, account)) == 1


def test_a_subscription_is_cancelled_at_once_and_not_tried_again(sandbox, account):
    subscription = sandbox.subscription(account)
    sandbox.control(f"subscriptions/{subscription.id}/card", card_number="4000000000000341")
    renewed(sandbox, subscription)
    [invoice] = invoices(sandbox, account, status="open")
    cancel = sandbox.v1.subscriptions.cancel

    cancelled = cancel(
        subscription.id, {"cancellation_details": {"feedback": "unused"}}, options(account)
    )
    with pytest.raises(stripe.InvalidRequestError):
        cancel(subscription.id, None, options(account))

    assert (cancelled.status, cancelled.cancellation_details.feedback) == ("canceled", "unused")
    assert told(sandbox, account)[-1] == "customer.subscription.deleted"
    sandbox.control(f"invoices/{invoice.id}/retry", expect=400)
    listing = sandbox.v1.subscriptions.list
    assert listing(None, options(account)).data == []
    for status in ("all", "ended", "canceled"):
        found = listing({"status": status}, options(account)).data
        assert [row.id for row in found] == [subscription.id]
    update = sandbox.v1.subscriptions.update
    noted = update(subscription.id, {"metadata": {"why": "moved"}}, options(account))
    assert noted.metadata.to_dict() == {"why": "moved"}
    with pytest.raises(stripe.InvalidRequestError, match="only update its metadata"):
        update(subscription.id, {"cancel_at_period_end": False}, options(account))
    # What is owed may still be paid; a declined card does not end what has ended.
    url = invoice.hosted_invoice_url
    assert (
        requests.post(
            url, data={**FILLED, "card_number": "4000000000000002"}, timeout=10
        ).status_code
        == 402
    )
    assert "is paid. Thank you." in requests.post(url, data=FILLED, timeout=10).text
    found = sandbox.v1.subscriptions.retrieve(subscription.id, None, options(account))
    assert found.status == "canceled"


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"items": [{"id": "ITEM"}]}, 501, None),
        ({"items": [{"quantity": 1}], "proration_behavior": "none"}, 501, None),
        ({"items": [{"id": "ITEM", "quantity": 2}], "proration_behavior": "none"}, 501, None),
        ({"items": [{"id": "si_x"}], "proration_behavior": "none"}, 400, "items[0][id]"),
        ({"price": {"product": "prod_x"}}, 400, "items[0][price_data][product]"),
        ({"price": {"currency": "jpy"}}, 400, "items[0][price_data][currency]"),
        ({"price": {"unit_amount": 5}}, 400, "items[0][price_data][unit_amount]"),
        ({"price": {"recurring": {"interval": "year"}}}, 501, None),
        (
            {"price": {"recurring": {"interval": "year", "interval_count": 4}}},
            400,
            "items[0][price_data][recurring][interval_count]",
        ),
        ({"price": {"unit_amount": None}}, 501, None),
    ],
)
def test_a_change_that_cannot_be_is_refused(*, sandbox, account, change, status, param):
    subscription = sandbox.subscription(account)
    [item] = subscription["items"].data
    if "price" in change:
        price = {
            "currency": "eur",
            "product": item.price.product,
            "recurring": {"interval": "month"},
            "unit_amount": 2500,
            **change["price"],
        }
        price = {name: value for name, value in price.items() if value is not None}
        change = {"items": [{"id": "ITEM", "price_data": price}], "proration_behavior": "none"}
    sent = [
        {**row, **({"id": item.id} if row.get("id") == "ITEM" else {})} for row in change["items"]
    ]

    with pytest.raises(stripe.StripeError) as refusal:
        sandbox.v1.subscriptions.update(
            subscription.id, {**change, "items": sent}, options(account)
        )

    assert refusal.value.http_status == status
    assert refusal.value.error.param == param


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"submit_type": "donate"}, 400),
        ({"payment_intent_data": {"description": "x"}}, 400),
        ({"subscription_data": {"application_fee_percent": 1}}, 400),
        ({"subscription_data": {"trial_period_days": 7}}, 501),
        ({"mode": "payment"}, 400),
        ({"mode": "payment", "subscription_data": {"description": "x"}}, 400),
    ],
)
def test_a_session_that_cannot_be_is_refused(sandbox, account, fields, status):
    with pytest.raises(stripe.StripeError) as refusal:
        sandbox.monthly(account, **fields)

    assert refusal.value.http_status == status


@pytest.mark.parametrize(("quantity", "count"), [(2, 1), (1, 2)])
def test_a_subscription_is_to_one_thing(sandbox, account, quantity, count):
    price = {
        "currency": "eur",
        "unit_amount": 500,
        "product_data": {"name": "Gift"},
        "recurring": {"interval": "month"},
    }
    lines = [{"quantity": quantity, "price_data": price}] * count

    with pytest.raises(stripe.APIError, match="more than one thing"):
        sandbox.monthly(account, line_items=lines)


def test_a_subscription_needs_a_recurring_price(sandbox, account):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        sandbox.session(account, mode="subscription", submit_type=None)

    assert refusal.value.param == "line_items[0][price_data][recurring]"


def test_other_invoices_do_not_exist(sandbox):
    assert requests.get(f"{sandbox.url}/invoice/in_none", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("recurring", "start", "end", "words"),
    [
        (("day", 10), (2026, 1, 31), (2026, 2, 10), "every 10 days"),
        (("week", 1), (2026, 1, 31), (2026, 2, 7), "weekly"),
        (("month", 1), (2026, 2, 28), (2026, 3, 31), "monthly"),
        (("month", 3), (2026, 11, 30), (2027, 2, 28), "every 3 months"),
        (("year", 1), (2024, 1, 31), (2025, 1, 31), "yearly"),
    ],
)
def test_months_end_on_the_anchors_day_or_their_last(recurring, start, end, words):
    recurring = dict(zip(("interval", "interval_count"), recurring, strict=True))
    begun, ended = (int(datetime(*day, 9, tzinfo=UTC).timestamp()) for day in (start, end))

    assert period_end(recurring, start=begun, anchor=BEGUN) == ended
    assert rhythm(recurring) == words
