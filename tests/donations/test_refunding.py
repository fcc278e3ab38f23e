"""Refunds that were cut off: whoever takes them up finds what was made, or makes it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from common import stripe_api
from common.stripe_api import client, on_account
from donations import tasks
from donations.models import Donation, RefundRequest
from donations.services import refunding
from donations.services.refunding import Told, ask, ask_due, learn_refund
from donations.services.refunds import take_down
from donations.tasks import BATCH_MAX, ask_for_refunds
from organisations.models import Mail, Membership
from tests.donations.refunds import FAILS_LATER, refunded, settled_gift, wish
from tests.factories import MembershipFactory, OrganisationFactory


@pytest.fixture
def gift(sandbox_stripe, organisation) -> Donation:
    """A gift of 50.00 EUR in the ledger."""
    return settled_gift(sandbox_stripe, organisation)


class Killed(BaseException):
    """What ends a process in the middle of something."""


def cut_off(monkeypatch, name, gift, **fields) -> RefundRequest:
    """Ask for a refund in a process that is killed when it comes to a function."""

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(refunding, name, die)
        with pytest.raises(Killed):
            refunded(gift, **fields)
    return RefundRequest.objects.get()


def made_due() -> None:
    """Let the time pass that a killed process may have needed."""
    RefundRequest.objects.update(next_attempt_at=timezone.now())


def refunds_of(sandbox, gift):
    return sandbox.list("refunds", gift.organisation.stripe_account)


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("_claim", ("requested", 0)),
        ("_ask_stripe", ("sent", 0)),
        ("learn_refund", ("sent", 1)),
    ],
)
def test_wherever_it_is_killed_the_worker_makes_one_refund_of_it(
    monkeypatch, sandbox_stripe, gift, step, state
):
    waiting = cut_off(monkeypatch, step, gift, amount=2000)
    assert (waiting.status, len(refunds_of(sandbox_stripe, gift))) == state

    made_due()
    ask_for_refunds(timestamp=0)
    made_due()
    ask_for_refunds(timestamp=60)

    waiting.refresh_from_db()
    [refund] = refunds_of(sandbox_stripe, gift)
    assert (waiting.status, waiting.stripe_refund) == ("succeeded", refund["id"])
    assert refund["amount"] == 2000


def test_it_is_found_when_stripe_has_forgotten_the_key(monkeypatch, sandbox_stripe, gift):
    waiting = cut_off(monkeypatch, "learn_refund", gift, amount=2000)
    refunded(gift, amount=100)
    monkeypatch.setattr(
        refunding, "on_account", lambda account, key="": on_account(account, key and f"{key}:new")
    )

    made_due()
    ask_for_refunds(timestamp=0)

    waiting.refresh_from_db()
    assert waiting.status == "succeeded"
    assert sorted(made["amount"] for made in refunds_of(sandbox_stripe, gift)) == [100, 2000]


def test_what_somebody_is_asking_for_is_left_to_them(sandbox_stripe, monkeypatch, gift):
    waiting = cut_off(monkeypatch, "_ask_stripe", gift)

    assert ask_due(limit=5) == 0
    assert ask(waiting).attempts == 1
    assert refunds_of(sandbox_stripe, gift) == []


def test_a_stripe_that_is_away_is_asked_again_later_each_time(settings, gift):
    here, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, "http://127.0.0.1:9"
    stripe_api.client.cache_clear()
    waits = []
    refund = refunded(gift)
    for _ in range(8):
        refund.refresh_from_db()
        waits.append(round((refund.next_attempt_at - timezone.now()) / timedelta(minutes=1)))
        made_due()
        assert ask_due(limit=5) == 1
    settings.STRIPE_API_BASE = here
    stripe_api.client.cache_clear()

    made_due()
    ask_for_refunds(timestamp=0)

    refund.refresh_from_db()
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64]
    assert refund.status == "succeeded"


def test_one_that_cannot_be_asked_for_holds_up_none_of_the_others(
    monkeypatch, sandbox_stripe, gift, caplog
):
    other = settled_gift(sandbox_stripe, gift.organisation)
    for each in (gift, other):
        take_down(organisation=each.organisation, donation_id=each.id, wish=wish())
    real = refunding._charge

    def broken(refund):
        if refund.donation_id == gift.id:
            raise KeyError("charge")
        return real(refund)

    monkeypatch.setattr(refunding, "_charge", broken)

    assert ask_due(limit=BATCH_MAX) == 2

    told = RefundRequest.objects.order_by("id").values_list("status", flat=True)
    assert list(told) == ["sent", "succeeded"]
    assert "refund postponed" in caplog.messages


def test_all_that_wait_are_asked_for_batch_by_batch(monkeypatch, sandbox_stripe, gift):
    monkeypatch.setattr(tasks, "BATCH_MAX", 1)
    for amount in (100, 200, 300):
        wanted = {"donation_id": gift.id, "wish": wish(amount=amount)}
        take_down(organisation=gift.organisation, **wanted)

    ask_for_refunds(timestamp=0)

    assert sorted(made["amount"] for made in refunds_of(sandbox_stripe, gift)) == [100, 200, 300]


def test_a_refusal_to_look_says_nothing_of_what_was_made(monkeypatch, settings, gift):
    waiting = cut_off(monkeypatch, "learn_refund", gift)
    key = settings.STRIPE_SECRET_KEY
    settings.STRIPE_SECRET_KEY = "sk_test_of_another"
    client.cache_clear()
    made_due()
    ask_for_refunds(timestamp=0)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == ("sent", 2)

    settings.STRIPE_SECRET_KEY = key
    client.cache_clear()
    made_due()
    ask_for_refunds(timestamp=60)

    waiting.refresh_from_db()
    assert waiting.status == "succeeded"


def test_a_refusal_that_comes_late_is_told_by_mail(monkeypatch, gift):
    member = MembershipFactory(organisation=gift.organisation, role="finance").user
    waiting = cut_off(monkeypatch, "_ask_stripe", gift, requested_by=member)
    charge = refunding._charge(waiting)
    client().v1.refunds.create(
        {"charge": charge}, on_account(str(gift.organisation.stripe_account))
    )

    made_due()
    ask_for_refunds(timestamp=0)

    waiting.refresh_from_db()
    assert (waiting.status, waiting.refusal_code) == ("refused", "charge_already_refunded")
    mail = Mail.objects.get()
    assert mail.recipient == member.email
    assert mail.subject == "A refund of 50.00 EUR was refused"
    assert waiting.refusal in mail.body
    assert f"http://localhost:8000/dashboard/eau-vive/gifts/{gift.id}\n" in mail.body


# What Stripe tells, in whatever order


def told(refund, status, **more) -> Told:
    """Return what an event says of a refund."""
    metadata = {"refund_request": refund.id}
    fields = {"id": "re_1", "status": status, "metadata": metadata, "failure_reason": None}
    return Told.by({**fields, **more})


@pytest.fixture
def sent(monkeypatch, gift) -> RefundRequest:
    """A refund whose answer never came."""
    return cut_off(monkeypatch, "_ask_stripe", gift)


def learn(refund, *news) -> tuple[str, str, str]:
    for one in news:
        learn_refund(organisation=refund.organisation, told=one)
    refund.refresh_from_db()
    return refund.status, refund.stripe_refund, refund.failure


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        ("pending", "pending"),
        ("requires_action", "pending"),
        ("telepathy", "pending"),
        (None, "pending"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "failed"),
    ],
)
def test_an_event_that_is_faster_than_the_answer_is_the_answer(sent, status, becomes):
    failure = status if becomes == "failed" else ""

    assert learn(sent, told(sent, status)) == (becomes, "re_1", failure)


def test_the_order_of_the_news_does_not_matter(sent):
    failed = told(sent, "failed", failure_reason="lost_or_stolen_card")
    news = [failed, told(sent, "pending"), told(sent, "succeeded"), failed]

    assert learn(sent, *news) == ("failed", "re_1", "lost_or_stolen_card")
    assert Mail.objects.count() == 0


def test_what_is_told_of_other_refunds_is_left_alone(sent):
    elsewhere = OrganisationFactory()

    learn_refund(organisation=elsewhere, told=told(sent, "succeeded"))
    state = learn(sent, Told.by({"id": "re_2", "status": "succeeded", "metadata": None}))

    assert state == ("sent", "", "")


def test_a_refund_that_has_a_name_takes_no_other(sent):
    learn(sent, told(sent, "pending"))

    assert learn(sent, told(sent, "succeeded", id="re_2")) == ("pending", "re_1", "")


def test_an_answer_that_comes_after_the_news_takes_nothing_back(monkeypatch, gift):
    def overtaken(refund):
        learn(refund, told(refund, "failed", failure_reason="declined"))
        return {"id": "re_1", "status": "succeeded", "metadata": {"refund_request": refund.id}}

    monkeypatch.setattr(refunding, "_ask_stripe", overtaken)

    assert (refunded(gift).status, RefundRequest.objects.get().failure) == ("failed", "declined")


def test_a_refusal_that_comes_after_the_news_takes_nothing_back(monkeypatch, gift):
    def overtaken(refund):
        learn(refund, told(refund, "succeeded"))
        raise stripe_api.StripeRefused

    monkeypatch.setattr(refunding, "_ask_stripe", overtaken)

    assert refunded(gift).status == "succeeded"


def test_a_refund_that_comes_back_is_told_to_who_asked(sandbox_stripe, organisation):
    gift = settled_gift(sandbox_stripe, organisation, card=FAILS_LATER)
    who_asked = MembershipFactory(organisation=organisation, role="finance").user
    MembershipFactory(organisation=organisation)

    refund = refunded(gift, requested_by=who_asked)

    assert (refund.status, refund.failure) == ("failed", "expired_or_canceled_card")
    mail = Mail.objects.get()
    assert (mail.recipient, mail.subject) == (
        who_asked.email,
        "A refund of 50.00 EUR came back",
    )
    assert "the card has expired or was canceled." in mail.body
    assert f"/dashboard/eau-vive/gifts/{gift.id}\n" in mail.body


@pytest.mark.parametrize("asked_by", ["a program", "somebody who left"])
def test_else_it_is_told_to_all_who_may_refund(sandbox_stripe, organisation, asked_by):
    gift = settled_gift(sandbox_stripe, organisation, card=FAILS_LATER)
    members = {
        role: MembershipFactory(organisation=organisation, role=role).user.email
        for role in Membership.Role
    }
    left = MembershipFactory().user if asked_by == "somebody who left" else None

    refunded(gift, requested_by=left)

    recipients = set(Mail.objects.values_list("recipient", flat=True))
    assert recipients == {members["owner"], members["finance"]}
