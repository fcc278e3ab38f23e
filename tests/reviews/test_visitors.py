"""Visitors who promise gifts: stopped, challenged, let in again, and forgotten."""

from datetime import timedelta

import pytest
from django.utils import timezone

from reviews.models import Attempt, Case, Screening, Watched
from reviews.rules.rule import Verdict
from reviews.services.visitors import Visit, screen_visit, traits_of
from reviews.tasks import forget_visitors_nightly
from tests.factories import OrganisationFactory
from tests.reviews.screening import declined, gift_of, keys, promised

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ANN = {"address": "192.0.43.8", "session": "browser", "email": "ann@example.org"}


@pytest.fixture
def organisation():
    return OrganisationFactory()


def visit_of(organisation, puzzle="", is_program=False, **who):
    """Return somebody's try to promise a gift, now."""
    gift = gift_of(organisation, at=timezone.now(), traits=traits_of(**who))
    return Visit(gift=gift, reference=f"form-{gift.id}", puzzle=puzzle, is_program=is_program)


def visits(organisation, puzzle="", is_program=False, **who):
    """Return the verdict on somebody's try to promise a gift."""
    return screen_visit(visit_of(organisation, puzzle, is_program, **who))


def rush(organisation):
    """Let so many come at once that the next one is challenged, and everybody after it."""
    for number in range(30):
        visits(organisation, address=f"192.0.43.{number}")


def decline(times=5, **who):
    """Have cards of a visitor declined just now, somewhere."""
    elsewhere = OrganisationFactory()
    for _ in range(times):
        declined(elsewhere, at=timezone.now(), **who)


def wait(key, time):
    """Let time pass for what stands against whoever a key begins with."""
    for row in Watched.objects.filter(key__startswith=key, until__isnull=False):
        Watched.objects.filter(pk=row.pk).update(until=row.until - time)


def stand_against(verdict):
    """Return against whom a verdict stands, by the kind of their trait."""
    rows = Watched.objects.filter(verdict=verdict, until__gt=timezone.now())
    return {row.key.partition(":")[0] for row in rows}


# Who is told apart by what


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "fd00::1", "::ffff:10.1.2.3", "", "nonsense"],
)
def test_an_address_that_is_not_public_tells_nobody_apart(organisation, address):
    for _ in range(8):
        assert visits(organisation, address=address) == Verdict.APPROVE

    assert traits_of(address=address).address == ""


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("192.0.43.8", "192.0.43.9", False),
        ("192.0.43.8", "::ffff:192.0.43.8", True),
        ("2001:4860:0:1::8", "2001:4860:0:1:ffff::9", True),
        ("2001:4860:0:1::8", "2001:4860:0:2::8", False),
    ],
)
def test_addresses_of_one_customer_are_one(one, other, is_same):
    assert (traits_of(address=one) == traits_of(address=other)) == is_same
    assert traits_of(address=one).address


def test_what_is_kept_of_a_visitor_says_nothing_about_them(organisation):
    visits(organisation, **ANN)

    attempt = Attempt.objects.get()
    kept = [attempt.address, attempt.session, attempt.email]
    assert all(len(key) == 32 for key in kept)
    assert len(set(kept)) == 3
    assert not any(value in str(row) for value in ANN.values() for row in Watched.objects.values())


# Tries


def test_the_same_form_sent_again_is_one_try(organisation):
    visit = visit_of(organisation, **ANN)

    for _ in range(5):
        assert screen_visit(visit) == Verdict.APPROVE

    assert Attempt.objects.count() == 1


def test_a_try_that_is_refused_has_been_one(organisation):
    verdicts = [visits(organisation, email="ann@example.org") for _ in range(4)]

    assert verdicts == [*[Verdict.APPROVE] * 2, *[Verdict.CHALLENGE] * 2]
    assert Attempt.objects.count() == Screening.objects.count() == 4


# Blocked


@pytest.mark.parametrize("trait", ANN)
def test_whoever_had_five_declines_is_blocked_for_an_hour(organisation, trait):
    decline(**{trait: "theirs"})
    gift = gift_of(organisation, at=timezone.now(), traits=keys(**{trait: "theirs"}))

    assert screen_visit(Visit(gift=gift, reference="form")) == Verdict.BLOCK
    assert stand_against("block") == {trait}
    [until] = Watched.objects.exclude(until=None).values_list("until", flat=True)
    assert HOUR - MINUTE < until - timezone.now() <= HOUR


def test_blocked_visitors_come_again_after_an_hour_by_themselves(organisation):
    decline(email=ANN["email"])
    assert visits(organisation, email=ANN["email"]) == Verdict.BLOCK
    Attempt.objects.all().delete()

    wait("email", HOUR - MINUTE)
    assert visits(organisation, email=ANN["email"]) == Verdict.BLOCK
    wait("email", MINUTE)
    assert visits(organisation, email=ANN["email"]) == Verdict.APPROVE


def test_a_block_stands_everywhere_and_against_nobody_else(organisation):
    decline(email=ANN["email"])
    visits(organisation, **ANN)

    assert visits(OrganisationFactory(), email=ANN["email"]) == Verdict.BLOCK
    others = {"address": "192.0.43.9", "session": "another", "email": "bob@example.org"}
    assert visits(organisation, **others) == Verdict.APPROVE
    assert visits(organisation, address=ANN["address"]) == Verdict.APPROVE


@pytest.mark.parametrize("changes", [{"puzzle": "solved"}, {"is_program": True}])
def test_no_puzzle_and_no_program_gets_round_a_block(organisation, changes):
    decline(email=ANN["email"])

    for _ in range(2):
        assert visits(organisation, email=ANN["email"], **changes) == Verdict.BLOCK

    assert not Case.objects.exists()


def test_who_is_turned_away_is_in_the_log_with_why(organisation):
    decline(email=ANN["email"])
    visits(organisation, email=ANN["email"])

    visits(organisation, email=ANN["email"])

    first, second = Screening.objects.order_by("id")
    assert (first.hits, first.verdict) == (second.hits, second.verdict)
    assert (second.hits, second.verdict) == (["declined_cards"], "block")
    assert [each["rule"] for each in first.results] == [each["rule"] for each in second.results]
    assert {each["outcome"] for each in second.results} == {"not_run"}
    assert "stands against this visitor" in second.results[0]["evidence"]["why"]


def test_a_series_of_cards_blocks_as_well(organisation):
    now = timezone.now()
    for number in range(10):
        declined(OrganisationFactory(), at=now - HOUR, card=f"card {number}", email=ANN["email"])

    assert visits(organisation, **ANN) == Verdict.BLOCK
    assert stand_against("block") == {"email"}


# Challenged


def test_a_rush_challenges_everybody_there_and_nobody_elsewhere(organisation):
    rush(organisation)

    assert visits(organisation, address="192.0.43.99") == Verdict.CHALLENGE
    assert visits(OrganisationFactory(), address="192.0.43.99") == Verdict.APPROVE
    assert stand_against("challenge") == {"organisation"}


def test_a_rush_of_declines_challenges_as_well(organisation):
    for _ in range(10):
        declined(organisation, at=timezone.now())

    assert visits(organisation) == Verdict.CHALLENGE
    assert visits(organisation) == Verdict.CHALLENGE


def test_the_limit_of_a_rush_lets_29_through_and_opens_one_case(organisation):
    verdicts = [visits(organisation, address=f"192.0.44.{number}") for number in range(200)]

    assert verdicts == [Verdict.APPROVE] * 29 + [Verdict.CHALLENGE] * 171
    case = Case.objects.get()
    assert (case.kind, case.subject, case.organisation) == (
        "card_testing",
        organisation.pk,
        organisation,
    )
    assert "30 or more gifts tried" in case.summary
    assert "solve a small puzzle" in case.summary
    assert Attempt.objects.count() == Screening.objects.count() == 200


def test_a_challenge_is_over_after_ten_minutes_by_itself(organisation):
    rush(organisation)
    Attempt.objects.all().delete()

    wait("organisation", 9 * MINUTE)
    assert visits(organisation) == Verdict.CHALLENGE
    wait("organisation", MINUTE)
    assert visits(organisation) == Verdict.APPROVE


def test_a_rush_that_goes_on_is_challenged_on_and_stays_one_case(organisation):
    rush(organisation)
    wait("organisation", 10 * MINUTE)

    assert visits(organisation) == Verdict.CHALLENGE
    assert visits(organisation) == Verdict.CHALLENGE
    assert Case.objects.count() == 1


def test_a_solved_puzzle_lets_in_once(organisation):
    rush(organisation)

    assert visits(organisation, puzzle="solved") == Verdict.APPROVE
    assert visits(organisation, puzzle="solved") == Verdict.CHALLENGE
    assert visits(organisation, puzzle="another") == Verdict.APPROVE


def test_a_used_puzzle_lets_nobody_in_also_when_no_rule_hits_any_more(organisation):
    rush(organisation)
    visits(organisation, puzzle="solved")
    Attempt.objects.all().delete()

    assert visits(organisation, puzzle="solved") == Verdict.CHALLENGE


def test_a_puzzle_answers_a_pace_as_well(organisation):
    for _ in range(2):
        visits(organisation, email="ann@example.org")

    assert visits(organisation, email="ann@example.org") == Verdict.CHALLENGE
    assert visits(organisation, email="ann@example.org", puzzle="solved") == Verdict.APPROVE
    assert visits(organisation, email="ann@example.org", puzzle="solved") == Verdict.CHALLENGE


def test_a_program_is_not_challenged(organisation):
    rush(organisation)

    assert visits(organisation, is_program=True) == Verdict.APPROVE
    for _ in range(4):
        assert visits(organisation, is_program=True, email=ANN["email"]) == Verdict.APPROVE


# Forgotten


def test_visitors_are_forgotten_after_a_day_and_tries_after_all_windows(organisation):
    now = timezone.now()
    Watched.objects.create(key="session:old", seen_at=now - DAY - MINUTE)
    Watched.objects.create(key="session:new", seen_at=now - DAY + MINUTE)
    for name, age in {"over": DAY + MINUTE, "long ago": DAY - MINUTE, "stands": -HOUR}.items():
        Watched.objects.create(
            key=f"email:{name}", seen_at=now - 9 * DAY, verdict="block", until=now - age, rule="any"
        )
    old = promised(organisation, at=now - 100 * DAY - MINUTE)
    new = promised(organisation, at=now - 100 * DAY + MINUTE)

    forget_visitors_nightly(timestamp=0)

    assert {str(row) for row in Watched.objects.all()} == {
        "session:new",
        "email:long ago",
        "email:stands",
    }
    assert list(Attempt.objects.values_list("gift", flat=True)) == [new.id] != [old.id]
