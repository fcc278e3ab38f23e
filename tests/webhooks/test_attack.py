"""Cards are tested on one organisation's form: it is guarded, and others do not notice."""

import html
import re
from collections import Counter
from contextlib import ExitStack
from functools import partial
from itertools import chain

import pytest
from django.test import Client
from django.utils import timezone

from donations import door
from donations.models import Donation
from donations.services.crowds import PLACES, here, place_among
from donations.services.promises import create_sandbox_account
from reviews.models import Attempt, Case, Screening, Watched
from reviews.puzzles import VALID_SECONDS, new_puzzle
from tests.factories import OrganisationFactory
from tests.ledger.writers import at_once, connecting
from tests.reviews.test_puzzles import worked_out

pytestmark = pytest.mark.django_db(transaction=True)
ATTACKERS, TRIES = 12, 10
OTHERS = 2
LIMIT = 29


@pytest.fixture
def organisation(make):
    return make()


@pytest.fixture
def other(make):
    return make()


@pytest.fixture
def make(sandbox_stripe, settings):
    """Return what opens an organisation with a public book, and an account at the sandbox."""
    settings.TRUSTED_PROXY_COUNT = 1

    def opened():
        account = create_sandbox_account(country="BE", currency="EUR")
        return OrganisationFactory(stripe_account=account)

    return opened


def give(organisation, visitor, number, **fields):
    """Return what the form of one of many visitors is answered with."""
    gift = {
        "currency": "EUR",
        "amount": "2500",
        "fund": "general",
        "email": f"donor{visitor}-{number}@example.org",
        "key": f"a-key-of-a-form-{visitor:04}-{number:04}",
    }
    headers = {"X-Forwarded-For": f"198.41.{visitor}.{number}"}
    return Client().post(f"/o/{organisation.slug}/donate", gift | fields, headers=headers)


def tries(organisation, visitor, count):
    return [give(organisation, visitor, number).status_code for number in range(count)]


def attacked(organisation):
    """Have 29 gifts promised within a minute, and one more tried."""
    now = timezone.now()
    Attempt.objects.bulk_create(
        Attempt(
            organisation=organisation,
            kind="promised",
            reference=f"r{number}",
            session=f"s{number}",
            at=now,
        )
        for number in range(LIMIT)
    )
    assert give(organisation, 0, 0).status_code == 429


def a_second_later():
    """Let what was known at the door be over."""
    door.shown.clear()


def test_an_attack_opens_no_more_than_the_limit_and_one_case_and_others_go_on(
    organisation, other, sandbox_stripe
):
    attack = [partial(tries, organisation, who, TRIES) for who in range(ATTACKERS)]
    meanwhile = [partial(tries, other, 100 + who, 5) for who in range(OTHERS)]

    with connecting(pool={"max_size": 2 * ATTACKERS}):
        *answers, first, second = at_once(*attack, *meanwhile)

    assert first == second == [303] * 5
    # Who finds no place in the crowd is not counted; one after the other all find one.
    answers.append(tries(organisation, ATTACKERS, LIMIT + 1))
    answered = Counter(chain.from_iterable(answers))
    assert answered.keys() == {303, 429}
    assert answers[-1][-1] == 429
    sessions = sandbox_stripe.list("checkout/sessions", organisation.stripe_account)
    assert len(sessions) == Donation.objects.of(organisation).count() == answered[303] <= LIMIT
    assert Case.objects.get().organisation == organisation
    assert not here


def test_after_an_attack_the_form_is_open_by_itself(organisation):
    attacked(organisation)
    assert give(organisation, 1, 1).status_code == 429

    # The ten minutes are over, and the attempts are older than a minute.
    Watched.objects.exclude(until=None).update(until=timezone.now())
    Attempt.objects.all().delete()
    a_second_later()

    assert give(organisation, 1, 2).status_code == 303


def test_who_finds_no_place_among_many_is_asked_for_work_and_others_go_on(organisation, other):
    with ExitStack() as crowd:
        for _ in range(PLACES):
            crowd.enter_context(place_among(organisation))
        answer = give(organisation, 1, 1)

        assert answer.status_code == 429
        assert "One moment, please" in answer.content.decode()
        assert not Attempt.objects.exists()
        assert give(other, 1, 2).status_code == 303

    assert give(organisation, 1, 1).status_code == 303


def test_who_is_turned_away_costs_little_and_is_written_down(
    organisation, django_assert_num_queries
):
    attacked(organisation)
    a_second_later()

    # The book, whether it is promised, what stands; the try, which versions of rules there are and
    # the finding, in one transaction; whether that stands against everybody.
    with django_assert_num_queries(9):
        give(organisation, 1, 1, amount="nothing that could be read")

    newest = Attempt.objects.latest("id")
    assert newest.amount is None
    assert Screening.objects.get(subject=newest.gift).hits == ["organisation_rush"]


def test_a_gift_that_is_promised_stays_so_in_an_attack(organisation):
    before = give(organisation, 5, 5)
    attacked(organisation)
    a_second_later()

    again = give(organisation, 5, 5)

    assert (again.status_code, again["Location"]) == (303, before["Location"])


@pytest.mark.parametrize("key", ["", "short", "with\0nul-and-long-enough"])
def test_a_form_without_a_usable_key_is_stopped_all_the_same(organisation, key):
    attacked(organisation)

    assert give(organisation, 1, 1, key=key).status_code == 429


# The door


def fields_of(answer):
    """Return the hidden fields of a page, as a browser reads them."""
    page = answer.content.decode()
    found = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def test_while_everybody_is_challenged_programs_get_no_further_than_the_door(
    organisation, other, django_assert_num_queries
):
    attacked(organisation)
    counted = Attempt.objects.count()

    with django_assert_num_queries(0):
        first, second = give(organisation, 1, 1), give(organisation, 1, 2)

    assert (first.status_code, second.status_code) == (429, 429)
    assert fields_of(first)["puzzle"] != fields_of(second)["puzzle"]
    assert first["X-Frame-Options"] == "DENY"
    assert "default-src" in first["Content-Security-Policy"]
    assert first["Cache-Control"] == "no-store"
    assert first["Content-Length"] == str(len(first.content))
    assert Attempt.objects.count() == counted
    assert give(other, 1, 3).status_code == 303
    assert Client().get(f"/o/{organisation.slug}/donate").status_code == 200


def test_the_page_at_the_door_sends_on_what_was_typed_and_nothing_else(organisation):
    attacked(organisation)
    evil = '"><script>alert(1)</script>'

    answer = give(organisation, 1, 1, name=evil, puzzle="bogus", solution="1")

    assert evil not in answer.content.decode()
    fields = fields_of(answer)
    assert (fields["name"], fields["amount"], fields["solution"]) == (evil, "2500", "")
    assert fields["puzzle"] != "bogus"


def test_who_did_the_work_passes_the_door(organisation):
    attacked(organisation)
    fields = fields_of(give(organisation, 1, 1))

    passed = give(
        organisation,
        1,
        1,
        puzzle=fields["puzzle"],
        solution=worked_out(fields["puzzle"]),
    )

    assert passed.status_code == 303


def test_a_solution_opens_the_door_once(organisation, django_assert_num_queries, monkeypatch):
    attacked(organisation)
    fields = fields_of(give(organisation, 1, 1))
    work = {"puzzle": fields["puzzle"], "solution": worked_out(fields["puzzle"])}
    assert give(organisation, 1, 1, **work).status_code == 303

    with django_assert_num_queries(0):
        assert give(organisation, 1, 2, **work).status_code == 429

    later = door.time.monotonic() + 2 * VALID_SECONDS
    monkeypatch.setattr(door.time, "monotonic", lambda: later)
    door.shown[organisation.slug] = door.Page(later + 1, "")
    fields = fields_of(give(organisation, 1, 3)) | {"puzzle": new_puzzle()}
    give(organisation, 1, 3, puzzle=fields["puzzle"], solution=worked_out(fields["puzzle"]))
    assert len(door.spent) == 1


def test_after_a_second_tries_are_counted_again(organisation, monkeypatch):
    attacked(organisation)
    counted, now = Attempt.objects.count(), door.time.monotonic()
    monkeypatch.setattr(door.time, "monotonic", lambda: now + door.KNOWN_SECONDS)

    assert give(organisation, 1, 1).status_code == 429

    assert Attempt.objects.count() == counted + 1
    [page] = door.shown.values()
    assert page.until == now + 2 * door.KNOWN_SECONDS


def test_two_who_come_at_once_keep_one_page(organisation):
    context = {"organisation": organisation, "support": ""}
    door.challenge_at_the_door(organisation.slug, context)
    page = door.shown[organisation.slug]

    door.challenge_at_the_door(organisation.slug, context)

    assert door.shown == {organisation.slug: page}
