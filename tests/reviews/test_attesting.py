"""Every public book says how much was screened and held on a day, and nothing of whom."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from donations.services.holding import hold_settled
from ledger.models import Entry
from ledger.templatetags.entries import read_entry
from reviews import tasks
from reviews.models import Case, Screening
from reviews.services.attesting import attest_last_days, attest_reviews
from reviews.services.deciding import decide
from tests.donations.refunds import in_ledger
from tests.factories import OrganisationFactory, UserFactory

pytestmark = pytest.mark.django_db
Verdict = Screening.Verdict


@pytest.fixture
def organisation():
    return OrganisationFactory()


def screened(organisation, verdict=Verdict.APPROVE):
    return Screening.objects.create(
        organisation=organisation,
        occasion="promise",
        subject="don_1",
        verdict=verdict,
        score=0,
        results=[],
        hits=[],
        duration_us=1,
    )


def counted(organisation, day):
    entry = attest_reviews(organisation=organisation, day=day)
    return {name: value for name, value in entry.metadata.items() if name != "day" and value}


def today():
    return timezone.now().date()


def tomorrow():
    moment = datetime.combine(today() + timedelta(days=1), datetime.min.time(), UTC)
    return int(moment.timestamp())


def test_a_day_is_counted_by_verdict(organisation):
    for verdict in (*[Verdict.APPROVE] * 3, Verdict.CHALLENGE, Verdict.REVIEW, Verdict.BLOCK):
        screened(organisation, verdict)
    screened(OrganisationFactory(), Verdict.BLOCK)

    assert counted(organisation, today()) == {
        "screenings": 6,
        "challenged": 1,
        "reviewed": 1,
        "blocked": 1,
    }


def test_holds_and_their_ends_are_counted(organisation):
    for choice in ("release", "", ""):
        gift = in_ledger(organisation)
        hold_settled(gift)
        if choice:
            case = Case.objects.get(gift=gift.id)
            decide(case=case, by=UserFactory(), choice=choice, reason="Known donor.")

    assert counted(organisation, today()) == {"holds": 3, "releases": 1}


def test_it_is_said_once_in_words_without_persons(organisation):
    screened(organisation, Verdict.REVIEW)

    tasks.attest_reviews_daily(timestamp=tomorrow())
    screened(organisation)
    tasks.attest_reviews_daily(timestamp=tomorrow())

    entry = Entry.objects.of(organisation).get(operation="REVIEW_ATTESTATION")
    assert (entry.amount, entry.currency, entry.nonce) == (0, "XXX", f"reviews:{today()}")
    reading = read_entry(entry, {})
    assert reading.kind.words == "Screening of a day"
    assert reading.notes == [
        f"{today()}: 1 screenings, 0 asked for work, 1 put before people, 0 blocked, 0 held, "
        "0 released, 0 given back"
    ]


def test_a_day_without_anything_says_nothing(organisation):
    screened(organisation)

    assert attest_reviews(organisation=organisation, day=today() - timedelta(days=1)) is None
    assert not Entry.objects.of(organisation).filter(operation="REVIEW_ATTESTATION").exists()


def test_a_day_begins_and_ends_at_midnight(organisation):
    screened(organisation)
    day = today()

    assert attest_reviews(organisation=organisation, day=day + timedelta(days=1)) is None
    assert counted(organisation, day) == {"screenings": 1}


def test_a_book_that_cannot_say_it_holds_up_none_of_the_others(monkeypatch, caplog):
    organisations = OrganisationFactory.create_batch(2)
    for organisation in organisations:
        screened(organisation)
    broken = organisations[0]

    def attest(*, organisation, today):
        if organisation == broken:
            raise RuntimeError("odd")
        attest_last_days(organisation=organisation, today=today)

    monkeypatch.setattr(tasks, "attest_last_days", attest)
    tasks.attest_reviews_daily(timestamp=tomorrow())

    [entry] = Entry.objects.filter(operation="REVIEW_ATTESTATION")
    assert entry.organisation == organisations[1]
    [record] = [each for each in caplog.records if each.message == "reviews not attested"]
    assert record.organisation == broken.id
