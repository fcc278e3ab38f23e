"""Whatever moves, in whatever parts it is read: the books say what Stripe says."""

import random
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.models import Entry
from tests.factories import DonationFactory, OrganisationFactory
from tests.treasury.movements import amounts, book_all, charged, check_sides, movement
from treasury.models import BalanceTransaction

pytestmark = pytest.mark.django_db
AMOUNTS = st.integers(-3000, 3000)
FEES = st.sampled_from([0, 0, 25, 2000, -10])
CURRENCIES = st.sampled_from(["EUR", "EUR", "JPY"])
CONSEQUENCES = ["refund", "refund_failure", "dispute", "dispute_reversal"]
OTHERS = ["payout", "payout_reversal", "fee", "tax", "telepathy", "transfer"]
BAD = [{"has_application_fee": True}, {"livemode": True}, {"net": 10**6}]
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["gift", "gift", "charge", *CONSEQUENCES, *OTHERS, "bad"]),
        AMOUNTS,
        FEES,
        CURRENCIES,
        st.integers(0, 5),
    ),
    max_size=12,
)


def movements_of(organisation, rows):
    """Return a story: charges with or without a gift, what became of them, and all else."""
    charges = []
    for kind, amount, fee, currency, pick in rows:
        more = {"currency": currency, "given_currency": currency}
        if kind in {"gift", "charge"} or not charges:
            value = abs(amount) + 1
            gift = DonationFactory(organisation=organisation, amount=value, currency=currency)
            claim = gift.id if kind == "gift" else ""
            charges.append(charged(value, fee, donation_id=claim, **more))
            yield charges[-1]
        elif kind == "bad":
            yield replace(charged(5000), **BAD[pick % len(BAD)])
        else:
            of = charges[pick % len(charges)].charge if kind in CONSEQUENCES else ""
            yield movement(kind, amount, fee, charge=of, **more)


def written(organisation):
    rows = Entry.objects.of(organisation).filter(sequence__gt=0)
    return set(rows.values_list("operation", "amount", "currency", "debit", "credit", "nonce"))


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(rows=ROWS, dice=st.randoms(use_true_random=False))
def test_the_books_say_what_stripe_says(rows, dice):
    organisation = OrganisationFactory()
    movements = list(movements_of(organisation, rows))

    read_in_parts(organisation, movements, dice)

    booked = list(BalanceTransaction.objects.of(organisation))
    reported = organisation.cases.filter(kind="unbooked").values_list("subject", flat=True)
    assert {one.id for one in movements} <= {row.stripe_id for row in booked} | set(reported)
    net = defaultdict(int)
    for row in booked:
        net[row.currency] += row.net
    places = {
        code: amount for (name, code), amount in amounts(organisation).items() if name == "stripe"
    }
    assert {code: sum_ for code, sum_ in net.items() if sum_} == {
        code: sum_ for code, sum_ in places.items() if sum_
    }
    check_sides(organisation)
    before = written(organisation)
    book_all(organisation, *movements)
    assert written(organisation) == before
    assert len(before) == sum(bool(row.amount) + bool(row.fee) for row in booked)


def read_in_parts(organisation, movements, dice: random.Random):
    """Each reading tells a part of what came so far, some of it again, never a later one first."""
    told = 0
    while told < len(movements):
        start = dice.randint(0, told)
        told = dice.randint(told + 1, min(told + 8, len(movements)))
        book_all(organisation, *movements[start:told])
    book_all(organisation, *movements)
