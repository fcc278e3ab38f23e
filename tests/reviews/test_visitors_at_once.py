"""Many visitors at the same moment: what is counted is exact, and who is stopped waits for none."""

from collections import Counter
from functools import partial

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from reviews.models import Attempt, Case, Screening, Watched
from reviews.rules.rule import Verdict
from reviews.services.visitors import Visit, screen_visit, traits_of
from tests.factories import OrganisationFactory
from tests.ledger.writers import at_once, connecting
from tests.reviews.screening import gift_of

pytestmark = pytest.mark.django_db(transaction=True)
CLIENTS = 16


@pytest.fixture
def organisation():
    return OrganisationFactory()


def visit_of(organisation, puzzle="", **who):
    gift = gift_of(organisation, at=timezone.now(), traits=traits_of(**who))
    return Visit(gift=gift, reference=f"form-{gift.id}", puzzle=puzzle)


def together(visits):
    """Return how often each verdict was given to visitors who come at the same moment."""
    with connecting(pool={"max_size": CLIENTS + 1}):
        outcomes = at_once(*[partial(screen_visit, visit) for visit in visits])
    assert not [each for each in outcomes if isinstance(each, Exception)]
    return Counter(outcomes)


@pytest.mark.parametrize(
    ("who", "limit"),
    [({"address": "192.0.43.8"}, 5), ({"email": "ann@example.org"}, 10)],
)
def test_of_16_at_once_as_many_as_the_limit_pass_wherever_they_give(who, limit):
    organisations = OrganisationFactory.create_batch(CLIENTS)

    verdicts = together([visit_of(each, **who) for each in organisations])

    assert verdicts == {Verdict.APPROVE: limit, Verdict.CHALLENGE: CLIENTS - limit}


def test_of_16_of_one_donor_at_once_two_pass(organisation):
    visits = [
        visit_of(organisation, email="ann@example.org", address=f"192.0.43.{number}")
        for number in range(CLIENTS)
    ]

    assert together(visits) == {Verdict.APPROVE: 2, Verdict.CHALLENGE: CLIENTS - 2}


def test_traits_that_cross_lock_nobody_out(organisation):
    people = [f"{number % 4}@example.org" for number in range(CLIENTS)]
    places = [f"192.0.43.{number // 4}" for number in range(CLIENTS)]

    verdicts = together(
        [
            visit_of(organisation, email=email, address=address)
            for email, address in zip(people, places, strict=True)
        ]
    )

    assert verdicts == {Verdict.APPROVE: 8, Verdict.CHALLENGE: 8}


def test_a_rush_of_16_lets_as_many_through_as_are_left_and_is_one_case(organisation):
    for number in range(20):
        screen_visit(visit_of(organisation, address=f"192.0.44.{number}"))

    verdicts = together(
        [visit_of(organisation, address=f"192.0.43.{number}") for number in range(CLIENTS)]
    )

    assert verdicts == {Verdict.APPROVE: 9, Verdict.CHALLENGE: CLIENTS - 9}
    assert Case.objects.count() == 1
    assert Attempt.objects.count() == Screening.objects.count() == 36


def test_whoever_waited_for_the_lock_meanwhile_is_turned_away_without_the_rules(organisation):
    for number in range(29):
        screen_visit(visit_of(organisation, address=f"192.0.44.{number}"))

    together([visit_of(organisation, address=f"192.0.43.{number}") for number in range(CLIENTS)])

    judged = [
        {each["outcome"] for each in kept.results} != {"not_run"}
        for kept in Screening.objects.order_by("-id")[:CLIENTS]
    ]
    assert Counter(judged) == {True: 1, False: CLIENTS - 1}


def test_one_puzzle_lets_one_of_16_in(organisation):
    for number in range(30):
        screen_visit(visit_of(organisation, address=f"192.0.44.{number}"))

    verdicts = together([visit_of(organisation, puzzle="solved") for _ in range(CLIENTS)])

    assert verdicts == {Verdict.APPROVE: 1, Verdict.CHALLENGE: CLIENTS - 1}


@pytest.fixture
def locked(organisation, application_connection):
    """Challenge an organisation's visitors, and hold the row that those share who are counted."""
    for number in range(30):
        screen_visit(visit_of(organisation, address=f"192.0.44.{number}"))
    holder = application_connection()
    holder.autocommit = False
    holder.execute(
        "SELECT FROM reviews_watched WHERE key = %s FOR UPDATE", [f"organisation:{organisation.pk}"]
    )
    return holder


def impatiently(visit):
    """Return the verdict, or what PostgreSQL says of somebody who waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '200ms'")
    try:
        return screen_visit(visit)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def test_who_is_challenged_waits_for_nobody_nor_does_another_organisation(organisation, locked):
    challenged = visit_of(organisation, address="192.0.43.8")
    replayed = visit_of(organisation, puzzle="solved")
    Watched.objects.create(key="puzzle:solved", seen_at=timezone.now())
    elsewhere = visit_of(OrganisationFactory(), address="192.0.43.9")

    assert impatiently(challenged) == Verdict.CHALLENGE
    assert impatiently(replayed) == Verdict.CHALLENGE
    assert impatiently(elsewhere) == Verdict.APPROVE


def test_who_is_counted_waits(organisation, locked):
    [waited] = at_once(partial(impatiently, visit_of(organisation, puzzle="another")))

    assert isinstance(waited.__cause__, psycopg.errors.LockNotAvailable)
