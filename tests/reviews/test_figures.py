"""The desk in figures: from known rows, on both sides of a week's beginning."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from donations.services.holding import hold_settled
from ledger.models import Entry
from ledger.operations import MoneyOperation
from reviews.figures.cases import oldest_open, open_by_kind, times_by_kind, times_by_week
from reviews.figures.money import held_now, holds_by_week
from reviews.figures.rules import hit_rates
from reviews.figures.tables import Amount
from reviews.models import Case, Hold, Screening
from reviews.services.cases import overtake
from reviews.services.deciding import decide
from reviews.services.holds import finish
from tests.donations.refunds import in_ledger
from tests.factories import (
    CaseFactory,
    DonationFactory,
    HoldFactory,
    OrganisationFactory,
    ScreeningFactory,
    UserFactory,
    found,
    gift_entries,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)  # a Wednesday
THIS_WEEK = datetime(2026, 11, 16, tzinfo=UTC)
FIRST_WEEK = THIS_WEEK - timedelta(weeks=12)
TICK, HOUR = timedelta(microseconds=1), timedelta(hours=1)


@pytest.fixture
def at(monkeypatch):
    """Return what lets something happen at a moment."""

    def happen(moment, act, **facts):
        with monkeypatch.context() as patch:
            patch.setattr(timezone, "now", lambda: moment)
            return act(**facts)

    return happen


@pytest.fixture
def closed(at):
    """Return what makes a case that somebody closed after some hours."""

    def make(hours, closed_at=NOW, **fields):
        case = at(closed_at - hours * HOUR, CaseFactory, **fields)
        at(closed_at, decide, case=case, by=UserFactory(), choice="close", reason="Explained.")
        return case

    return make


def held_card(**fields):
    """Return a hold of a gift whose card is authorised."""
    gift = DonationFactory()
    return HoldFactory(organisation=gift.organisation, gift=gift.id, **fields)


def counts(table, place=1):
    """Return what a column says of the weeks in which there is anything."""
    return {row[0]: row[place] for row in table.rows if row[place]}


def test_there_is_a_row_for_each_of_13_weeks():
    weeks = [row[0] for row in holds_by_week(NOW).rows]

    assert weeks == [(FIRST_WEEK + timedelta(weeks=count)).date() for count in range(13)]
    assert weeks == [row[0] for row in times_by_week(NOW).rows]
    assert all(week.weekday() == 0 for week in weeks)
    on_monday, before = (holds_by_week(moment) for moment in (THIS_WEEK, THIS_WEEK - TICK))
    assert on_monday.rows[-1][0] == date(2026, 11, 16)
    assert before.rows[-1][0] == date(2026, 11, 9)


@pytest.mark.parametrize(
    ("moment", "week"),
    [
        (FIRST_WEEK - TICK, None),
        (FIRST_WEEK, date(2026, 8, 24)),
        (THIS_WEEK - TICK, date(2026, 11, 9)),
        (THIS_WEEK, date(2026, 11, 16)),
    ],
)
def test_holds_count_in_the_week_in_which_they_begin_and_end(at, moment, week):
    early = at(FIRST_WEEK - 2 * HOUR, held_card)
    at(moment, held_card)
    at(moment, finish, hold=early, status=Hold.Status.LAPSED)

    table = holds_by_week(NOW)

    assert counts(table) == ({week: 1} if week else {})
    assert counts(table, 4) == ({week: 1} if week else {})


def given_back(gift):
    """Book the refund of a gift that is held."""
    gift_entries(
        gift.organisation,
        first=80 + Entry.objects.count(),
        operation=MoneyOperation.DONATION_REFUNDED,
        debit="held",
        credit="stripe",
        metadata={"donation": gift.id},
    )


def test_holds_are_told_apart_by_how_they_ended(at):
    organisation = OrganisationFactory()
    for choice, times in (("release", 3), ("refuse", 2)):
        for _ in range(times):
            gift = in_ledger(organisation)
            at(NOW, hold_settled, donation=gift)
            case = Case.objects.get(gift=gift.id)
            at(NOW, decide, case=case, by=UserFactory(), choice=choice, reason="Known donor.")
            if choice == "refuse":
                given_back(gift)
                at(NOW, finish, hold=case.hold, status=Hold.Status.REFUSED)

    assert holds_by_week(NOW).rows[-1][1:] == (5, 3, 2, 0)


def test_money_that_is_held_is_told_by_currency_and_place():
    organisation = OrganisationFactory()
    HoldFactory(amount=120_000)
    HoldFactory(amount=30_000)
    HoldFactory(amount=700, currency="JPY")
    finish(hold=held_card(), status=Hold.Status.LAPSED)
    for _ in range(2):
        hold_settled(in_ledger(organisation))
    refund = MoneyOperation.DONATION_REFUNDED
    gift_entries(
        organisation, first=90, operation=refund, amount=1000, debit="held", credit="stripe"
    )

    assert held_now(NOW).rows == [
        ("EUR", 2, Amount(150_000, "EUR"), 2, Amount(9000, "EUR")),
        ("JPY", 1, Amount(700, "JPY"), 0, Amount(0, "JPY")),
    ]


def test_how_long_decisions_take_is_told_by_kind(closed):
    for hours in range(1, 12):
        closed(hours)
    closed(48, kind=Case.Kind.AUDIT)

    assert times_by_kind(NOW).rows == [
        ("Book that does not verify", 1, Decimal("48.00"), Decimal("48.00")),
        ("Unclassified transaction", 11, Decimal("6.00"), Decimal("10.00")),
    ]


@pytest.mark.parametrize(("moment", "counts_in"), [(FIRST_WEEK - TICK, 0), (FIRST_WEEK, 1)])
def test_only_the_last_weeks_decisions_count(closed, moment, counts_in):
    closed(1, moment)

    assert len(times_by_kind(NOW).rows) == counts_in
    assert sum(row[1] for row in times_by_week(NOW).rows) == counts_in


def test_how_long_decisions_take_is_told_by_the_week_of_the_decision(closed):
    for hours, moment in ((2, THIS_WEEK - TICK), (3, THIS_WEEK), (5, THIS_WEEK)):
        closed(hours, moment)

    *_, nothing, last, this = times_by_week(NOW).rows
    assert nothing[1:] == (0, None, None)
    assert last == (date(2026, 11, 9), 1, Decimal("2.00"), Decimal("2.00"))
    assert this == (date(2026, 11, 16), 2, Decimal("4.00"), Decimal("4.80"))


def test_what_nobody_decided_has_no_time_of_decision(at):
    at(NOW, overtake, case=CaseFactory(), reason="The money came back.")

    assert times_by_kind(NOW).rows == []


def test_open_cases_are_told_by_kind_with_the_oldest(at, closed):
    first = at(NOW - 50 * HOUR, CaseFactory, kind=Case.Kind.DRIFT, due_at=NOW)
    at(NOW - 49 * HOUR, CaseFactory, kind=Case.Kind.DRIFT, due_at=NOW + TICK)
    second = at(NOW - 48 * HOUR, CaseFactory, kind=Case.Kind.AUDIT)
    closed(90)

    assert open_by_kind(NOW).rows == [
        ("Book that does not verify", 1, 0, 1, second.opened_at),
        ("Ledger that differs from the Stripe balance", 2, 1, 1, first.opened_at),
    ]
    assert oldest_open() == first


def test_no_case_is_the_oldest_where_none_is_open():
    assert oldest_open() is None


def screened_and_decided(choice, *hits, **fields):
    """Have a gift screened, held and decided."""
    gift = in_ledger(OrganisationFactory())
    hold_settled(gift)
    case = Case.objects.get(gift=gift.id)
    facts = {"organisation": gift.organisation, "subject": gift.id, "hits": list(hits), **fields}
    ScreeningFactory(**facts)
    if choice:
        decide(case=case, by=UserFactory(), choice=choice, reason="I rang the donor.")
    return facts


def test_hits_are_confirmed_or_false_as_people_decided():
    for choice in ("refuse", "refuse", "refuse", "release", ""):
        facts = screened_and_decided(choice, "donor_pace", "card_series")
    screened_and_decided("release", "donor_pace")
    ScreeningFactory(**facts)  # a gift that is screened twice is one gift
    again = Case.objects.filter(choice="refuse").first()
    ScreeningFactory(organisation=again.organisation, subject=again.gift)

    assert {row[1:] for row in hit_rates(NOW).rows} == {
        (6, 4, 3, 1, Decimal(75)),
        (8, 5, 3, 2, Decimal(60)),
    }


def test_another_organisations_gift_of_the_same_name_is_another():
    facts = screened_and_decided("refuse", "donor_pace")
    ScreeningFactory(subject=facts["subject"], hits=["card_series"])

    assert sorted(row[1:] for row in hit_rates(NOW).rows) == [
        (1, 0, 0, 0, None),
        (1, 1, 1, 0, Decimal(100)),
    ]


def test_what_hits_in_the_shadow_is_counted_apart():
    shadows = [found(mode="shadow"), found("card_series", "pass", mode="shadow")]
    screened_and_decided("release", results=shadows)
    screened_and_decided("refuse", "donor_pace", results=[found(), *shadows])
    screened_and_decided("refuse", results=[found(mode="shadow", outcome="pass"), found()])

    in_force, in_shadow = hit_rates(NOW).rows

    assert in_force[1:] == (1, 1, 1, 0, Decimal(100))
    assert in_shadow[0] == f"{in_force[0]}, in the shadow"
    assert in_shadow[1:] == (2, 2, 1, 1, Decimal(50))


def test_a_rule_that_is_gone_is_named_as_it_was():
    ScreeningFactory(hits=["old_rule"])

    assert hit_rates(NOW).rows == [("old rule", 1, 0, 0, 0, None)]


@pytest.mark.parametrize(("moment", "hits"), [(FIRST_WEEK - TICK, 0), (FIRST_WEEK, 1)])
def test_only_the_last_weeks_hits_count(at, moment, hits):
    at(moment, ScreeningFactory)
    at(moment, ScreeningFactory, results=[found(mode="shadow")], hits=[])

    assert len(hit_rates(NOW).rows) == 2 * hits


@pytest.mark.parametrize(("moment", "decided"), [(FIRST_WEEK - TICK, 0), (FIRST_WEEK, 1)])
def test_only_the_last_weeks_decisions_tell_of_hits(at, moment, decided):
    at(moment, screened_and_decided, choice="release")
    case = Case.objects.get()
    ScreeningFactory(organisation=case.organisation, subject=case.gift)

    [row] = hit_rates(NOW).rows
    assert row[1:3] == (1, decided)


def switch_off(*ways):
    """Let the planner do without ways that are quicker with as few rows as here."""
    with connection.cursor() as cursor:
        for way in ways:
            cursor.execute(f"SET LOCAL enable_{way} = off")


def test_every_figure_has_an_index():
    asked = {
        "case_decided_last": Case.objects.filter(closed_at__gte=NOW),
        "case_of_subject": Case.objects.filter(subject="txn_1"),
        "case_open_for_longest": Case.objects.open().order_by("opened_at", "id")[:1],
        "hold_by_its_beginning": Hold.objects.filter(opened_at__gte=NOW),
        "hold_by_its_end": Hold.objects.filter(ended_at__gte=NOW),
        "screening_that_hit": Screening.objects.filter(at__gte=NOW).exclude(hits=[]).order_by("at"),
        "screening_hit_in_shadow": Screening.objects.filter(
            at__gte=NOW, results__contains=[{"mode": "shadow", "outcome": "hit"}]
        ),
    }
    switch_off("seqscan", "sort")

    plans = {name: query.explain() for name, query in asked.items()}

    assert [name for name, plan in plans.items() if name not in plan] == []


def test_what_rules_hit_is_counted_from_the_index_alone():
    hits = Screening.objects.filter(at__gte=NOW).exclude(hits=[]).order_by("at")
    switch_off("seqscan", "bitmapscan", "sort")

    plan = hits.values("organisation", "subject", "hits").explain()

    assert "Index Only Scan using screening_that_hit" in plan
