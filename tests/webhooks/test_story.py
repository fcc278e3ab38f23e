"""The whole story of one connected account: told in any order, it ends in the same books."""

import json
import random
from dataclasses import dataclass
from datetime import date
from io import StringIO
from itertools import groupby

import pytest
from django.core.management import call_command

from donations.models import Donation, RecurringGift
from ledger.models import Entry
from organisations.models import Organisation
from reviews.models import Case
from tests.factories import DonationFactory, OrganisationFactory, RecurringGiftFactory
from tests.stripe_story import ACCOUNT, TRUTH, Account, Story
from tests.treasury.movements import amounts, check_sides
from tests.webhooks.messages import deliver
from treasury.models import BalanceTransaction, Dispute, Payout, PayoutItem, StripeBalance
from webhooks.models import StripeEvent
from webhooks.services.draining import drain_due

BALANCE = TRUTH["balance_at_the_end_eur_cents"]
BOOKED = [
    ("charge", "DONATION_RECEIVED", 5000, "stripe", "fund:general"),  # A
    ("fee", "PROCESSING_FEE", 100, "fund:general", "stripe"),
    ("charge", "DONATION_RECEIVED", 3060, "stripe", "fund:general"),  # B, 5000 JPY
    ("fee", "PROCESSING_FEE", 186, "fund:general", "stripe"),
    ("charge", "DONATION_RECEIVED", 1000, "stripe", "fund:general"),  # C, a subscription
    ("fee", "PROCESSING_FEE", 40, "fund:general", "stripe"),
    ("refund", "DONATION_REFUNDED", 2000, "fund:general", "stripe"),  # A
    ("payout", "PAYOUT_SENT", 6734, "in_transit", "stripe"),
    ("charge", "DONATION_RECEIVED", 12000, "stripe", "fund:general"),  # D
    ("fee", "PROCESSING_FEE", 35, "fund:general", "stripe"),
    ("dispute", "DISPUTE_OPENED", 3055, "fund:general", "stripe"),  # B, lost
    ("fee", "DISPUTE_FEE", 2000, "fund:general", "stripe"),
    ("dispute", "DISPUTE_OPENED", 1000, "fund:general", "stripe"),  # C, won
    ("fee", "DISPUTE_FEE", 2000, "fund:general", "stripe"),
    ("refund", "DONATION_REFUNDED", 500, "fund:general", "stripe"),  # A, fails
    ("refund_failure", "REFUND_FAILED", 500, "stripe", "fund:general"),
    ("dispute_reversal", "DISPUTE_WON", 1000, "stripe", "fund:general"),
    ("payout", "PAYOUT_SENT", 4910, "in_transit", "stripe"),
    ("payout_reversal", "PAYOUT_RETURNED", 4910, "stripe", "in_transit"),
]
IGNORED = {
    "unknown account",
    "of the platform's own account",
    "livemode is not ours",
    "thin event",
}


@dataclass
class Telling:
    """One telling of the story, to an organisation of its own."""

    organisation: Organisation
    gifts: dict[str, Donation]
    events: list[bytes]
    account: Account

    def tell(self, events: list[bytes], *, draining_every: int) -> None:
        """Deliver events, and drain after so many."""
        for number, body in enumerate(events, start=1):
            assert deliver(body).status_code == 200
            if number % draining_every == 0:
                drain_due()
        while drain_due():
            pass

    def check_the_end(self) -> None:
        """Check books, balances, gifts, disputes and cases."""
        assert sorted(written(self.organisation)) == sorted(BOOKED)
        stripe = StripeBalance.objects.get(organisation=self.organisation)
        assert (stripe.currency, stripe.total) == ("EUR", BALANCE)
        assert amounts(self.organisation) == {
            ("stripe", "EUR"): BALANCE,
            ("in_transit", "EUR"): TRUTH["payouts"]["1"]["amount_eur_cents"],
            ("fund:general", "EUR"): 12684 - 1040,
        }
        check_sides(self.organisation)
        self.check_gifts()
        self.check_payouts()
        self.check_cases()
        assert list(Dispute.objects.order_by("opened_at").values_list("charge", "status")) == [
            (TRUTH["donations"]["B"]["charge"], "lost"),
            (TRUTH["donations"]["C"]["charge"], "won"),
        ]

    def check_events(self) -> None:
        """Check that all events were told, each acted on once or ignored for a reason."""
        events = StripeEvent.objects.values_list("status", "note", "attempts")
        assert {(status, note) for status, note, _ in events} == {
            ("done", ""),
            *(("ignored", reason) for reason in IGNORED),
        }
        assert {attempts for *_, attempts in events} == {0, 1}

    def check_cases(self) -> None:
        """Check that staff see the card issuer's warning of gift B and the failed payout alone."""
        case, failed = Case.objects.order_by("kind")
        assert (failed.kind, failed.subject) == ("payout", TRUTH["payouts"]["2"]["id"])
        assert case.kind == Case.Kind.FRAUD_WARNING
        assert "30.60 EUR may be fraud (made with stolen card)" in case.summary
        assert f"the gift {self.gifts['B'].id}" in case.summary

    def check_payouts(self) -> None:
        """Check what became of each payout, and that it adds up to the cent."""
        for payout, status in zip(TRUTH["payouts"].values(), ("paid", "failed"), strict=True):
            kept = Payout.objects.get(organisation=self.organisation, stripe_id=payout["id"])
            inside = PayoutItem.objects.inside(kept)
            assert (kept.amount, kept.status) == (payout["amount_eur_cents"], status)
            assert {item.stripe_id for item in inside} == set(payout["balance_transactions"])
            assert sum(item.net for item in inside) == kept.amount
            assert (kept.composition_is_whole, kept.automatic) == (True, True)
            assert all(item.is_booked for item in inside)
        assert {
            letter: (gift.payout, gift.payout_arrived_on) for letter, gift in self.gifts.items()
        } == {
            "A": (TRUTH["payouts"]["1"]["id"], date(2026, 10, 12)),
            "B": (TRUTH["payouts"]["1"]["id"], date(2026, 10, 12)),
            "C": (TRUTH["payouts"]["1"]["id"], date(2026, 10, 12)),
            "D": ("", None),
            "E": ("", None),
        }

    def check_gifts(self) -> None:
        """Check what became of each gift."""
        truth = TRUTH["donations"]
        for gift in self.gifts.values():
            gift.refresh_from_db()
        a, b, c, d, e = (self.gifts[letter] for letter in "ABCDE")
        assert (a.status, a.refunded_amount) == (
            "partially_refunded",
            truth["A"]["refunded_eur_cents"],
        )
        assert (b.status, b.settled_amount, b.settled_currency) == ("disputed", 3060, "EUR")
        assert (b.amount, b.currency, b.disputed_amount) == (5000, "JPY", 5000)
        assert (c.status, c.settled_amount, c.disputed_amount) == ("settled", 1000, 0)
        recurring = RecurringGift.objects.get()
        assert (recurring.status, recurring.ended_reason) == ("ended", "payment_failed")
        assert (recurring.donor_email, recurring.amount) == ("siobhan@example.org", 1000)
        assert (d.status, d.settled_amount) == ("settled", 12000)
        assert (e.status, e.paid_at, e.sequence) == ("failed", None, None)
        assert a.donor_email == "zoe@example.org"


@pytest.fixture
def telling(db, stripe_server) -> Telling:
    """Create the gifts that donors promised here; C is the first payment of one that repeats."""
    organisation = OrganisationFactory(stripe_account=ACCOUNT)
    promised = {
        "A": {"amount": 5000, "currency": "EUR", "flow": "checkout"},
        "B": {"amount": 5000, "currency": "JPY", "flow": "payment_intent"},
        "C": {
            "amount": 1000,
            "currency": "EUR",
            "flow": "checkout",
            "recurring": RecurringGiftFactory(organisation=organisation),
        },
        "D": {"amount": 12000, "currency": "EUR", "flow": "checkout"},
        "E": {"amount": 1500, "currency": "EUR", "flow": "checkout"},
    }
    gifts = {
        letter: DonationFactory(organisation=organisation, **fields)
        for letter, fields in promised.items()
    }
    story = Story({letter: gift.id for letter, gift in gifts.items()})
    account = stripe_server.accounts[ACCOUNT]
    story.fill(account)
    return Telling(organisation, gifts, story.events(), account)


def written(organisation):
    rows = Entry.objects.of(organisation).filter(sequence__gt=0)
    for nonce, *entry in rows.values_list("nonce", "operation", "amount", "debit", "credit"):
        kind, account, name, leg = nonce.split(":")
        assert (kind, account, name[:4]) == ("stripe", ACCOUNT, "txn_")
        yield leg, *entry


def test_in_order(telling):
    telling.tell(telling.events, draining_every=1)

    telling.check_the_end()
    telling.check_events()


def test_in_reverse(telling):
    telling.tell(telling.events[::-1], draining_every=1)

    telling.check_the_end()
    telling.check_events()


def test_all_at_once(telling):
    telling.tell(telling.events, draining_every=1000)

    telling.check_the_end()
    telling.check_events()


@pytest.mark.parametrize("seed", range(50))
def test_in_any_order_some_of_it_twice(telling, seed):
    dice = random.Random(seed)
    events = telling.events + dice.choices(telling.events, k=seed)
    dice.shuffle(events)

    telling.tell(events, draining_every=dice.randint(1, 20))

    telling.check_the_end()
    telling.check_events()


@pytest.mark.parametrize("seed", range(10))
def test_what_was_lost_is_healed_by_sweep_and_backfill(telling, seed):
    dice = random.Random(seed)
    arrived = [event for event in telling.events if dice.random() > 0.3]
    dice.shuffle(arrived)
    telling.tell(arrived, draining_every=dice.randint(1, 20))

    call_command("sweep_stripe", stdout=StringIO())
    telling.tell([], draining_every=1)

    telling.check_the_end()
    assert set(StripeEvent.objects.values_list("status", flat=True)) <= {"done", "ignored"}


def test_nothing_but_sweep_and_backfill(telling):
    call_command("sweep_stripe", stdout=StringIO())
    telling.tell([], draining_every=1)

    telling.check_the_end()


def test_every_event_twice(telling):
    twice = [event for event in telling.events for _ in range(2)]

    telling.tell(twice, draining_every=3)
    telling.tell(telling.events, draining_every=3)

    telling.check_the_end()
    telling.check_events()


def test_a_subscription_that_nobody_promised_here_is_external_activity(telling):
    Donation.objects.filter(id=telling.gifts["C"].id).update(recurring=None)
    telling.tell(telling.events, draining_every=1000)

    rows = BalanceTransaction.objects.filter(charge=TRUTH["donations"]["C"]["charge"])

    assert set(rows.values_list("reporting_category", "purpose", "donation")) == {
        ("charge", "external", ""),
        ("dispute", "external", ""),
        ("dispute_reversal", "external", ""),
    }


def test_nothing_but_the_last_event(telling):
    telling.tell(telling.events[-1:], draining_every=1)

    assert sorted(written(telling.organisation)) == sorted(BOOKED)


def test_step_by_step_the_place_stripe_is_the_balance_at_every_moment(telling):
    balances = []
    for body in sorted(telling.events, key=moment):
        telling.account.now = moment(body)
        telling.tell([body], draining_every=1)
        is_read = StripeEvent.objects.get(id=json.loads(body)["id"]).status == "done"
        if is_read:
            balances += telling.account.balance()["available"] or [{"amount": 0}]
            place = amounts(telling.organisation).get(("stripe", "EUR"), 0)
            assert place == balances[-1]["amount"]
        check_sides(telling.organisation)

    telling.check_the_end()
    telling.check_events()
    steps = [amount for amount, _ in groupby(part["amount"] for part in balances)]
    assert steps == [
        *(0, 4900, 7774, 8734, 6734, 0, 11965, 6910, 3910, 3410, 3910, 4910, 0, BALANCE)
    ]


def moment(body):
    created = json.loads(body)["created"]
    return created if isinstance(created, int) else 1_791_504_004


def test_what_events_say_is_kept_without_client_secrets(telling):
    telling.tell(telling.events, draining_every=1000)

    assert any(b"_secret_" in body for body in telling.events)
    for payload in StripeEvent.objects.values_list("payload", flat=True):
        assert "_secret_" not in json.dumps(payload)


def test_an_outage_in_the_middle_changes_nothing(telling, stripe_server):
    half = len(telling.events) // 2
    telling.tell(telling.events[:half], draining_every=1)
    for trouble in ("500", "429", "half a body", "half an object"):
        stripe_server.trouble = trouble
        for body in telling.events[half:]:
            assert deliver(body).status_code == 200
        drain_due()

    stripe_server.trouble = ""
    StripeEvent.objects.update(next_attempt_at="2026-01-01T00:00:00Z")
    telling.tell([], draining_every=1)

    telling.check_the_end()
    telling.check_events()
