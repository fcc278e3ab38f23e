"""Keeping payouts: what became of each, what is in it, and who hears of it."""

from datetime import date, timedelta

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from organisations.models import Mail
from reviews.models import Case
from tests.factories import DonationFactory, MembershipFactory, OrganisationFactory, PayoutFactory
from tests.treasury.movements import book_all, charged, movement
from tests.treasury.payouts import NOON, failed, holding, keep, returned, sent
from treasury.errors import PayoutMalformed
from treasury.models import Payout, PayoutItem
from treasury.services.payouts import FACTS
from treasury.signals import payout_arrived


@pytest.fixture
def heard():
    """The payouts that are told to have arrived."""
    said = []

    def arrived(payout, **_):
        assert connection.in_atomic_block
        said.append(payout.stripe_id)

    payout_arrived.connect(arrived)
    yield said
    payout_arrived.disconnect(arrived)


def kept():
    return {payout.stripe_id: payout.status for payout in Payout.objects.all()}


def cases():
    return list(Case.objects.order_by("opened_at").values_list("subject", "summary"))


def given(gift):
    gift.refresh_from_db()
    return gift.payout, gift.payout_arrived_on


@pytest.fixture
def paid_gift(organisation, gift):
    """The charge of a gift of 50.00 EUR, which is booked."""
    charge = charged(5000, 100, donation_id=gift.id)
    book_all(organisation, charge)
    return charge


# What became of a payout


def test_all_that_is_told_of_a_payout_is_kept(organisation):
    facts = failed("po_1")

    keep(organisation, facts)

    payout = Payout.objects.get()
    assert {name: getattr(payout, name) for name in FACTS} == {
        name: getattr(facts, name) for name in FACTS
    }
    assert (payout.read_at, payout.failed_at, payout.paid_at) == (NOON, NOON, None)
    assert (payout.composed_at, payout.composition_is_whole) == (None, False)
    assert str(payout) == "po_1"


def test_what_is_told_later_replaces_it(organisation, heard):
    pending = {"trace_id": "", "reconciliation_status": "in_progress"}
    keep(organisation, sent("po_1", status="pending", **pending))
    keep(organisation, sent("po_1", status="in_transit", **pending, day=1), at=1)
    keep(organisation, sent("po_1", **pending), at=2)
    keep(organisation, sent("po_1"), at=3)

    payout = Payout.objects.get()
    assert (payout.status, payout.trace_id) == ("paid", "TRACE1")
    assert payout.paid_at == NOON + timedelta(minutes=2)
    assert heard == ["po_1"]


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (sent("po_1"), sent("po_1", status="in_transit")),
        (failed("po_1"), sent("po_1")),
        (sent("po_1", status="canceled"), sent("po_1", status="pending")),
        (sent("po_1"), sent("po_1", reconciliation_status="in_progress")),
        (sent("po_1"), sent("po_1", trace_id="")),
    ],
)
def test_a_payout_never_goes_back_whatever_is_told_when(organisation, heard, now, before):
    keep(organisation, now)
    told_once = list(heard)

    keep(organisation, before, at=5)

    payout = Payout.objects.get()
    assert [getattr(payout, name) for name in FACTS] == [getattr(now, name) for name in FACTS]
    assert heard == told_once


def test_an_older_reading_does_not_replace_a_newer_one(organisation):
    waiting = {"status": "pending", "trace_id": "", "reconciliation_status": "in_progress"}
    late, early = date(2026, 10, 14), date(2026, 10, 13)
    keep(organisation, sent("po_1", **waiting, arrival_on=late), at=5)

    keep(organisation, sent("po_1", **waiting, arrival_on=early), at=4)

    assert Payout.objects.get().arrival_on == late


def test_a_payout_arrives_once_and_may_fail_once(organisation, heard):
    for at, facts in enumerate([sent("po_1"), sent("po_1"), failed("po_1"), failed("po_1")]):
        keep(organisation, facts, at=at)
        keep(organisation, facts, at=at)

    assert heard == ["po_1"]
    assert [subject for subject, _ in cases()] == ["po_1"]
    payout = Payout.objects.get()
    assert (payout.paid_at, payout.failed_at) == (NOON, NOON + timedelta(minutes=2))


def test_one_that_was_called_off_is_news_to_nobody(organisation, heard):
    keep(organisation, sent("po_1", status="canceled"))

    assert (heard, cases(), Mail.objects.count()) == ([], [], 0)


def test_what_fails_while_telling_is_not_kept(organisation):
    def refuse(**_):
        raise RuntimeError

    payout_arrived.connect(refuse)
    with pytest.raises(RuntimeError):
        keep(organisation, sent("po_1"))
    payout_arrived.disconnect(refuse)

    assert kept() == {}


def test_organisations_have_payouts_of_their_own(organisation):
    other = OrganisationFactory()
    keep(organisation, sent("po_1"), inside={"po_1": holding(movement("charge", 4900))})

    keep(other, sent("po_1", status="pending"))

    assert list(Payout.objects.of(other).values_list("status", "composed_at")) == [
        ("pending", None)
    ]


@pytest.mark.parametrize("other", [{"amount": 5000}, {"currency": "JPY"}])
def test_a_payout_is_as_much_as_it_was_and_staff_hear_of_another_amount(organisation, other):
    keep(organisation, sent("po_1", status="in_transit"))

    keep(organisation, sent("po_1", **other), sent("po_2"), at=1)

    assert kept() == {"po_1": "in_transit", "po_2": "paid"}
    assert Payout.objects.filter(amount=4900, currency="EUR").count() == 2
    [(subject, summary)] = cases()
    assert subject == "po_1: fields"
    assert summary.endswith("; it was of 49.00 EUR, which stays.")


# Who hears of one that failed


@pytest.fixture
def members(organisation):
    """One member in each role, and a stranger."""
    MembershipFactory(role="owner")
    return {
        role: MembershipFactory(organisation=organisation, role=role).user.email
        for role in ("owner", "finance", "admin", "viewer")
    }


def test_owners_and_finance_are_mailed_and_staff_see_a_case_once(organisation, members, settings):
    settings.BASE_URL = "https://almoner.example"
    keep(organisation, sent("po_1", 123_456))
    assert not Mail.objects.exists()
    for at in (1, 2):
        keep(organisation, failed("po_1", 123_456), at=at)

    first, second = Mail.objects.order_by("id")
    assert {first.recipient, second.recipient} == {members["owner"], members["finance"]}
    assert first.subject == "A payout of 1,234.56 EUR came back"
    assert "sent on 8 October 2026" in first.body
    assert "The bank account is closed." in first.body
    assert "“The account has been closed”" in first.body
    assert f"https://almoner.example/dashboard/{organisation.slug}/payouts" in first.body
    assert cases() == [
        (
            "po_1",
            "A payout of 1,234.56 EUR came back to the Stripe balance. The bank account is closed.",
        )
    ]
    assert Case.objects.get().kind == "payout"


def test_one_that_was_made_good_since_is_history(organisation, members, heard):
    keep(organisation, sent("po_2", day=3), failed("po_1"))

    assert (cases(), Mail.objects.count()) == ([], 0)
    assert heard == ["po_2"]


@pytest.mark.parametrize(
    "later",
    [
        sent("po_2", day=-3),
        sent("po_2", day=3, status="in_transit"),
        sent("po_2", day=3, currency="JPY"),
    ],
)
def test_only_a_later_one_of_its_currency_that_arrived_makes_it_good(organisation, members, later):
    keep(organisation, failed("po_1"), later)

    assert len(cases()) == 1
    assert [payout.stripe_id for payout in Payout.objects.of(organisation).returned()] == ["po_1"]


def test_a_later_payout_that_arrives_ends_the_case_of_its_currency_alone(organisation):
    keep(organisation, failed("po_1"), failed("po_2", currency="JPY"), failed("po_3", day=5))

    keep(organisation, sent("po_4", day=3), at=1)

    ends = dict(Case.objects.values_list("subject", "reason"))
    assert ends == {"po_1": "A later payout of 49.00 EUR arrived.", "po_2": "", "po_3": ""}


def test_a_reason_that_nobody_knows_is_said_to_be_unknown(organisation, members):
    keep(organisation, failed("po_1", failure_code="new_code", failure_message=""))

    [(_, summary)] = cases()
    assert summary.endswith("The bank gave no reason that we know.")
    assert "Stripe says" not in Mail.objects.first().body


# What is in it


def test_a_composition_that_adds_up_is_whole(organisation):
    rows = [charged(5000, 100), charged(1000, 40), movement("refund", -2000)]

    keep(organisation, sent("po_1", 3860), at=3, inside={"po_1": holding(*rows)})

    payout = Payout.objects.get()
    assert (payout.composition_is_whole, payout.composed_at) == (True, NOON + timedelta(minutes=3))
    assert {str(item) for item in PayoutItem.objects.inside(payout)} == {row.id for row in rows}
    assert cases() == []


@pytest.mark.parametrize(("amount", "words"), [(4901, "49.01 EUR"), (-4900, "−49.00 EUR")])
def test_one_cent_too_much_is_a_case_for_staff(organisation, amount, words):
    inside = {"po_1": holding(charged(5000, 100))}
    for at in (0, 1):
        keep(organisation, sent("po_1", amount), at=at, inside=inside)

    assert Payout.objects.get().composition_is_whole is False
    assert cases() == [
        (
            "po_1: composition",
            f"What Stripe says is in the payout of {words} adds up to 49.00 EUR.",
        )
    ]


def test_nothing_is_not_whole(organisation):
    keep(organisation, sent("po_1"), inside={"po_1": []})

    assert [subject for subject, _ in cases()] == ["po_1: composition"]


def test_what_was_left_out_makes_it_whole_later_in_any_order(organisation):
    first, second = charged(5000, 100), charged(1000, 40)
    part, whole = holding(first), holding(second, first)

    keep(organisation, sent("po_1", 5860), at=5, inside={"po_1": whole})
    keep(organisation, sent("po_1", 5860), at=4, inside={"po_1": part})

    payout = Payout.objects.get()
    assert (payout.composition_is_whole, payout.composed_at) == (True, NOON + timedelta(minutes=5))
    assert PayoutItem.objects.count() == 2


def test_what_cannot_be_read_is_a_case_and_holds_up_nothing(organisation):
    odd, torn = PayoutMalformed("po_odd: KeyError in its fields."), PayoutMalformed("po_2: torn.")
    inside = {"po_1": holding(charged(5000, 100)), "po_2": torn}

    keep(organisation, odd, sent("po_2"), sent("po_1"), inside=inside)

    assert kept() == {"po_1": "paid", "po_2": "paid"}
    whole = Payout.objects.filter(composition_is_whole=True)
    assert [payout.stripe_id for payout in whole] == ["po_1"]
    assert {subject for subject, _ in cases()} == {"po_odd: fields", "po_2: composition"}


# What a gift knows of it


def test_a_gift_knows_its_payout_and_when_it_arrived(organisation, gift, paid_gift):
    on_its_way = sent("po_1", status="in_transit", reconciliation_status="")
    keep(organisation, on_its_way, inside={"po_1": holding(paid_gift)})
    assert given(gift) == ("po_1", None)

    keep(organisation, sent("po_1"), at=1)

    assert given(gift) == ("po_1", date(2026, 10, 12))


def test_a_day_that_the_bank_moves_is_moved_and_no_news(organisation, gift, paid_gift, heard):
    keep(organisation, sent("po_1"), inside={"po_1": holding(paid_gift)})

    keep(organisation, sent("po_1", arrival_on=date(2026, 10, 13)), at=1)

    assert given(gift) == ("po_1", date(2026, 10, 13))
    assert heard == ["po_1"]


def test_what_is_no_gift_is_in_payouts_too(organisation, gift, paid_gift):
    other = DonationFactory(organisation=organisation)
    rows = [paid_gift, charged(300), movement("refund", -100, charge=paid_gift.charge)]
    book_all(organisation, *rows)

    keep(organisation, sent("po_1", 5100), inside={"po_1": holding(*rows)})

    assert given(gift) == ("po_1", date(2026, 10, 12))
    assert given(other) == ("", None)


def test_a_gift_in_a_payout_that_failed_is_in_none(organisation, gift, paid_gift):
    keep(organisation, sent("po_1"), inside={"po_1": holding(paid_gift)})

    keep(organisation, failed("po_1"), at=1)

    assert given(gift) == ("", None)


def test_its_money_goes_on_in_the_payout_that_holds_the_one_that_came_back(
    organisation, gift, paid_gift
):
    first, second, third = failed("po_1"), failed("po_2", day=3), sent("po_3", day=6)
    inside = {
        "po_1": holding(paid_gift),
        "po_2": holding(returned(first)),
        "po_3": holding(returned(second)),
    }

    keep(organisation, third, second, first, inside=inside)

    assert given(gift) == ("po_3", date(2026, 10, 18))
    keep(organisation, failed("po_3", day=6), at=1)
    assert given(gift) == ("", None)


def test_a_gift_listed_in_two_payouts_is_in_the_newest_that_did_not_fail(
    organisation, gift, paid_gift
):
    inside = {name: holding(paid_gift) for name in ("po_1", "po_2")}
    keep(organisation, sent("po_2", day=3), inside={"po_2": inside["po_2"]})
    keep(organisation, sent("po_1"), at=1, inside={"po_1": inside["po_1"]})
    assert given(gift) == ("po_2", date(2026, 10, 15))

    keep(organisation, failed("po_2", day=3), at=2)

    assert given(gift) == ("po_1", date(2026, 10, 12))


def test_payouts_that_claim_to_hold_each_other_are_followed_once(organisation, gift, paid_gift):
    first, second = failed("po_1"), failed("po_2", day=3)
    inside = {"po_1": holding(paid_gift, returned(second)), "po_2": holding(returned(first))}

    keep(organisation, second, first, inside=inside)

    assert given(gift) == ("", None)


def test_a_gift_that_is_booked_late_learns_of_its_payout_at_the_next_reading(organisation, gift):
    charge = charged(5000, 100, donation_id=gift.id)
    keep(organisation, sent("po_1"), inside={"po_1": holding(charge)})
    assert given(gift) == ("", None)
    book_all(organisation, charge)

    keep(organisation, sent("po_1"), at=1)

    assert given(gift) == ("po_1", date(2026, 10, 12))
    assert PayoutItem.objects.get().is_booked


# What the database guards


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE treasury_payoutitem SET net = net, amount = amount",
        "UPDATE treasury_payoutitem SET payout = 'po_2'",
        "DELETE FROM treasury_payoutitem",
    ],
)
def test_what_was_in_a_payout_stays_in_it(organisation, statement):
    keep(organisation, sent("po_1"), inside={"po_1": holding(charged(5000, 100))})

    with pytest.raises(Exception) as refusal, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert isinstance(refusal.value.__cause__, psycopg.errors.InsufficientPrivilege)


def test_an_item_is_in_a_payout_of_its_own_organisation(organisation):
    keep(organisation, sent("po_1"))
    fields = {"payout": "po_1", "amount": 5, "fee": 0, "net": 5, "occurred_at": NOON}

    with pytest.raises(IntegrityError, match="item_is_in_a_payout_of_its_organisation"):
        PayoutItem.objects.create(organisation=OrganisationFactory(), stripe_id="t", **fields)


def test_a_payout_that_nobody_composed_is_not_whole(organisation):
    with pytest.raises(IntegrityError, match="payout_is_whole_when_composed"):
        PayoutFactory(organisation=organisation, composition_is_whole=True)


def test_a_gift_that_arrived_arrived_in_a_payout(gift):
    gift.payout_arrived_on = date(2026, 10, 12)
    with pytest.raises(IntegrityError, match="donation_arrived_in_a_payout"):
        gift.save(update_fields=["payout_arrived_on"])
