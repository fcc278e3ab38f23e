"""Each end of a hold happens once: two at once, crashes between, and a Stripe that says no."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from common.stripe_api import client, on_account
from donations.models import RefundRequest
from donations.services import capturing
from donations.services.capturing import carry_out
from donations.tasks import ask_for_refunds, carry_out_decisions
from ledger.models import Entry
from reviews.errors import CaseClosed
from reviews.models import Decision, Hold
from tests.factories import UserFactory
from tests.treasury.movements import entries
from tests.webhooks.holding import (
    authorised,
    carried_out,
    case_of,
    decided,
    heard,
    held,
    organisation,
)

__all__ = ["authorised", "held", "organisation"]
pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 4


def at_once(*calls):
    """Start calls at the same moment, each with a connection of its own; return what came of it."""
    gate = threading.Barrier(len(calls))

    def run(call):
        gate.wait()
        try:
            call()
        except CaseClosed as error:
            return type(error)
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return [*pool.map(run, calls)]


def made_due():
    Hold.objects.exclude(next_attempt_at=None).update(next_attempt_at=Hold.objects.get().opened_at)


@pytest.mark.parametrize("choices", [("release", "release"), ("refuse", "refuse")])
def test_two_reviewers_at_once_decide_once(held, organisation, choices):
    people = UserFactory.create_batch(AT_ONCE)
    calls = [lambda person=person: decided(held, choices[0], by=person) for person in people]

    outcomes = at_once(*calls)

    assert sorted(outcomes, key=str) == [CaseClosed] * (AT_ONCE - 1) + [None]
    assert Decision.objects.count() == 1
    released = Entry.objects.of(organisation).filter(operation="HOLD_RELEASED").count()
    assert (released, RefundRequest.objects.count()) in {(1, 0), (0, 1)}


def test_who_decides_otherwise_at_the_same_time_is_too_late(held, organisation):
    first, second = UserFactory.create_batch(2)

    outcomes = at_once(
        lambda: decided(held, "release", by=first), lambda: decided(held, "refuse", by=second)
    )

    assert sorted(outcomes, key=str) == [CaseClosed, None]
    gift = carried_out(held)
    decision = Decision.objects.get()
    assert gift.status == {"release": "settled", "refuse": "refunded"}[decision.choice]


def test_many_workers_capture_once(sandbox_stripe, authorised):
    decided(authorised, "release")
    hold = Hold.objects.get()

    at_once(*[lambda: carry_out(Hold.objects.get(pk=hold.pk))] * AT_ONCE)

    assert Hold.objects.get().status == "released"
    gift = heard(authorised)
    assert len(entries(gift.organisation)) == 2


class Killed(BaseException):
    """What ends a process in the middle of something."""


@pytest.mark.parametrize("step", ["_claim", "_ask_stripe", "_learn"])
@pytest.mark.parametrize("choice", ["release", "refuse"])
def test_wherever_it_is_killed_it_is_carried_out_once(
    monkeypatch, sandbox_stripe, authorised, step, choice
):
    decided(authorised, choice)

    def die(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(capturing, step, die)
        with pytest.raises(Killed):
            carry_out_decisions(timestamp=0)
    made_due()
    carry_out_decisions(timestamp=0)

    hold = Hold.objects.get()
    assert hold.status == f"{choice}d"
    charges = sandbox_stripe.list("charges", str(authorised.organisation.stripe_account))
    assert [charge["captured"] for charge in charges] == [choice == "release"]


def test_what_was_canceled_in_the_dashboard_cannot_be_captured_any_more(authorised):
    hold = Hold.objects.get()
    account = on_account(str(authorised.organisation.stripe_account))
    client().v1.payment_intents.cancel(hold.payment_intent, options=account)
    decided(authorised, "release")

    gift = carried_out(authorised)

    assert (gift.status, Hold.objects.get().status) == ("canceled", "refused")


def test_while_stripe_is_away_a_decision_waits(sandbox_stripe, authorised):
    decided(authorised, "release")
    sandbox_stripe.control("outage", seconds=60)
    carry_out_decisions(timestamp=0)
    waiting = Hold.objects.get()
    assert (waiting.status, waiting.attempts) == ("releasing", 1)
    carry_out_decisions(timestamp=0)
    assert Hold.objects.get().attempts == 1

    sandbox_stripe.control("outage", seconds=0)
    made_due()
    carry_out_decisions(timestamp=0)

    assert Hold.objects.get().status == "released"


def test_what_stripe_refuses_for_good_is_seen_on_the_case(sandbox_stripe, authorised):
    decided(authorised, "release")
    sandbox_stripe.control(f"accounts/{authorised.organisation.stripe_account}/deauthorize")

    carry_out_decisions(timestamp=0)

    hold = Hold.objects.get()
    assert hold.status == "releasing"
    assert hold.trouble.startswith("Stripe refused")


def test_one_that_fails_holds_up_none_of_the_others(monkeypatch, authorised, caplog):
    decided(authorised, "release")

    def fail(*_):
        raise RuntimeError("odd")

    monkeypatch.setattr(capturing, "_learn", fail)
    carry_out_decisions(timestamp=0)

    [record] = [record for record in caplog.records if record.message == "hold postponed"]
    assert record.hold == Hold.objects.get().id


def test_a_refund_that_stripe_refuses_puts_the_case_before_staff_again(
    sandbox_stripe, held, organisation
):
    decided(held, "refuse")
    sandbox_stripe.control(f"accounts/{organisation.stripe_account}/deauthorize")
    ask_for_refunds(timestamp=0)

    case = case_of(held)
    assert (case.closed_at, case.round) == (None, 2)
    assert Hold.objects.get().status == "open"
    assert "Stripe refused the refund" in case.notes.last().text
