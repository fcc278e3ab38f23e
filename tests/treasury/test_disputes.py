"""Disputes, inquiries and fraud warnings: who is told, and in whatever order they come."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from organisations.models import Mail, Membership
from reviews.models import Case
from reviews.traits import key_of
from tests.factories import DonationFactory, MembershipFactory
from tests.stripe_resources import charge, transaction
from tests.webhooks.messages import deliver, event
from treasury.models import Dispute
from webhooks.services.draining import drain_due

NOW = int(timezone.now().timestamp())


def told(status, moment, type="charge.dispute.updated", **more):
    """Return an event that tells a dispute's status at a moment."""
    dispute = {
        "id": "dp_1",
        "object": "dispute",
        "amount": 5000,
        "charge": "ch_1",
        "created": NOW,
        "currency": "eur",
        "evidence_details": {"due_by": NOW + 86_400},
        "reason": "product_not_received",
        "status": status,
        **more,
    }
    return event(type, created=NOW + moment, data={"object": dispute})


def warning(**more):
    """Return an early fraud warning of a charge."""
    fields = {"id": "issfr_1", "object": "radar.early_fraud_warning", "charge": "ch_1"}
    fields |= {"actionable": True, "fraud_type": "made_with_stolen_card", **more}
    return event("radar.early_fraud_warning.created", data={"object": fields})


def tell(*events):
    for one in events:
        deliver(one)
    while drain_due():
        pass


@pytest.fixture
def members(organisation):
    """One member of each role."""
    return {
        role: MembershipFactory(organisation=organisation, role=role).user
        for role in Membership.Role
    }


def test_those_who_can_answer_a_dispute_are_told_once(stripe_account, organisation, members):
    tell(told("needs_response", 0), told("needs_response", 0), told("needs_response", 5))

    mails = Mail.objects.order_by("id")
    assert {mail.recipient for mail in mails} == {
        members["owner"].email,
        members["finance"].email,
    }
    assert mails.count() == 2
    assert mails[0].subject == f"A gift to {organisation.name} is disputed"
    assert "50.00 EUR (payment ch_1)" in mails[0].body
    assert "product not received" in mails[0].body
    answer_by = datetime.fromtimestamp(NOW + 86_400, UTC)
    assert f"until {answer_by.day} {answer_by:%B} {answer_by.year}" in mails[0].body
    assert "dp_1" in mails[0].body
    assert str(Dispute.objects.get()) == "dp_1"
    assert not Dispute.objects.get().is_inquiry


def test_an_inquiry_moves_no_money_and_says_so(stripe_account, organisation, members):
    gift = DonationFactory(organisation=organisation)
    paid = charge(5000, gift.id, id="ch_1")
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=paid))

    tell(told("warning_needs_response", 0, evidence_details=None))

    mail = Mail.objects.first()
    assert mail.subject == f"A bank asks about a gift to {organisation.name}"
    assert "No money has moved yet." in mail.body
    assert "An answer counts until" not in mail.body
    gift.refresh_from_db()
    assert (gift.status, gift.disputed_amount) == ("settled", 0)
    assert Dispute.objects.get().is_inquiry


INQUIRY, DISPUTE = "A bank asks about a gift to ", "is disputed"
ESCALATING = [
    told("warning_needs_response", 0, type="charge.dispute.created"),
    told("something_new", 2),
    told("needs_response", 3),
    told("needs_response", 3, type="charge.dispute.funds_withdrawn"),
    told("needs_response", 4),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(ESCALATING))))[::7])
def test_who_was_asked_about_an_inquiry_is_asked_again_when_it_becomes_a_dispute(
    stripe_account, members, order
):
    told_now = [ESCALATING[place] for place in order]
    tell(*told_now)
    tell(*({**one, "id": f"{one['id']}_again"} for one in told_now))

    subjects = list(Mail.objects.order_by("id").values_list("subject", flat=True))
    disputed = [subject for subject in subjects if subject.endswith(DISPUTE)]
    asked = [subject for subject in subjects if subject.startswith(INQUIRY)]
    was_asked_first = order[0] == 0
    assert len(disputed) == 2
    assert len(asked) == (2 if was_asked_first else 0)
    assert subjects == asked + disputed


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [(500_000, "isk", "5,000 ISK"), (5000, "jpy", "5,000 JPY"), (5000, "eur", "50.00 EUR")],
)
def test_what_is_claimed_is_counted_as_everywhere(stripe_account, members, amount, currency, words):
    tell(told("needs_response", 0, amount=amount, currency=currency))

    assert f"a gift of {words} (payment ch_1)" in Mail.objects.first().body
    assert Dispute.objects.get().currency == currency.upper()


@pytest.mark.parametrize(
    "first", [told("lost", 9), told("needs_response", 0, evidence_details={"due_by": NOW - 1})]
)
def test_nobody_is_asked_for_an_answer_that_does_not_count(stripe_account, members, first):
    tell(first)

    assert not Mail.objects.exists()


STEPS = [
    told("warning_needs_response", 0),
    told("warning_closed", 1),
    told("needs_response", 1),
    told("under_review", 2),
    told("won", 2),
    told("something_new", 2),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(STEPS))))[::37])
def test_the_last_word_counts_in_any_order(stripe_account, organisation, order):
    tell(*(STEPS[place] for place in order))

    dispute = Dispute.objects.get()
    assert (dispute.status, dispute.told_at) == ("won", datetime.fromtimestamp(NOW + 2, UTC))
    assert dispute.told_at - dispute.opened_at == timedelta(seconds=2)


def test_a_fraud_warning_is_a_case_about_the_gift(stripe_account, organisation):
    gift = DonationFactory(organisation=organisation)
    paid = charge(5000, gift.id, id="ch_1")
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=paid))

    tell(warning(), warning())

    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == (
        "fraud_warning",
        "issfr_1",
        organisation,
    )
    assert case.summary.startswith(
        "The card's issuer says that the payment ch_1 of 50.00 EUR may be fraud (made with stolen "
        f"card). It belongs to the gift {gift.id}."
    )


def test_a_fraud_warning_may_be_about_no_gift_of_ours(stripe_account, organisation):
    stripe_account.put(
        "balance_transactions", transaction("charge", 700, source=charge(700, id="ch_2"))
    )

    tell(warning(), warning(id="issfr_2", charge="ch_2"))

    first, second = Case.objects.order_by("subject")
    assert "payment ch_1 may be fraud" in first.summary
    assert "payment ch_2 of 7.00 EUR may be fraud" in second.summary
    assert "no gift that was made here" in second.summary


def test_a_warning_about_which_nothing_can_be_done_is_no_case(stripe_account, organisation):
    tell(warning(actionable=False))

    assert not Case.objects.exists()


# The case that staff have of it


def disputed_gift(stripe_account, organisation):
    """Return a gift of 50.00 EUR whose charge is booked with the next event."""
    gift = DonationFactory(organisation=organisation, donor_email="zoe@example.org")
    paid = charge(5000, gift.id, id="ch_1")
    stripe_account.put("balance_transactions", transaction("charge", 5000, source=paid))
    return gift


def test_a_dispute_that_awaits_an_answer_is_a_case_until_a_day_before(stripe_account, organisation):
    gift = disputed_gift(stripe_account, organisation)

    tell(told("needs_response", 0), told("needs_response", 5))

    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == ("dispute", "dp_1", organisation)
    assert (case.gift, case.amount, case.currency) == (gift.id, 5000, "EUR")
    assert case.donor_key == key_of("email", "zoe@example.org")
    assert case.due_at == datetime.fromtimestamp(NOW + 86_400, UTC) - timedelta(days=1)
    assert case.summary.startswith("A donor's bank took back 50.00 EUR (payment ch_1); the reason")


def test_a_dispute_of_no_gift_and_of_no_day_is_a_case_too(stripe_account, organisation):
    tell(told("warning_needs_response", 0, evidence_details=None, amount=0))

    case = Case.objects.get()
    assert (case.gift, case.donor_key, case.due_at) == ("", "", None)
    assert (case.amount, case.currency) == (None, "")
    assert "asks about 0.00 EUR" in case.summary


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("under_review", "The organisation answered, and the bank decides now."),
        ("won", "The dispute was won: the money is back."),
        ("lost", "The dispute was lost: the money stays with the donor."),
        ("prevented", "The dispute was prevented."),
    ],
)
def test_a_dispute_with_nothing_left_to_answer_leaves_the_queue(stripe_account, status, words):
    tell(told("needs_response", 0))
    tell(told(status, 5))

    case = Case.objects.get()
    assert (case.choice, case.closed_by, case.reason) == ("overtaken", None, words)


def test_an_inquiry_that_ended_and_became_a_dispute_is_a_case_again(stripe_account):
    tell(told("warning_needs_response", 0))
    tell(told("warning_closed", 1))
    tell(told("needs_response", 2))

    closed, opened = Case.objects.order_by("opened_at")
    assert closed.reason == "The bank's inquiry ended, and became no dispute."
    assert opened.closed_at is None
    assert "took back" in opened.summary


def test_a_dispute_that_is_told_when_it_is_over_is_no_case(stripe_account):
    tell(told("lost", 9))
    tell(told("needs_response", 0))

    assert not Case.objects.exists()
