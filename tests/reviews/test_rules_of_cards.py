"""Rules about cards and their holders: below, at and above their limits, inside and outside."""

from datetime import timedelta

import pytest

from tests.factories import OrganisationFactory
from tests.reviews.screening import (
    BLOCKED,
    NOT_RUN,
    NOW,
    PASSED,
    REVIEWED,
    SCORED,
    TICK,
    came_out,
    declined,
    found,
    found_settled,
    gift_of,
    holds,
    keys,
    paid,
)

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ANN = {"address": "192.88.99.1", "email": "ann@example.org"}


@pytest.fixture
def organisation():
    return OrganisationFactory()


# Many cards of one donor


@pytest.mark.parametrize("trait", ANN)
@pytest.mark.parametrize(("cards", "outcome"), [(2, PASSED), (3, REVIEWED), (4, REVIEWED)])
def test_three_cards_of_one_donor_are_reviewed_before_the_next_is_charged(
    organisation, trait, cards, outcome
):
    for number in range(cards):
        declined(OrganisationFactory(), card=f"card {number}", **{trait: ANN[trait]})
        declined(organisation, card=f"card {number}", **{trait: ANN[trait]})

    result = found("many_cards", gift_of(organisation, traits=keys(**ANN)))

    assert came_out(result) == outcome
    assert result["evidence"] == {"cards": cards, "limit": 3, "hours": 24, "by": trait}


@pytest.mark.parametrize(("others", "outcome"), [(1, PASSED), (2, REVIEWED), (3, REVIEWED)])
@pytest.mark.parametrize("is_written_down", [True, False])
def test_a_settled_gifts_own_card_counts_once(organisation, others, outcome, is_written_down):
    gift = gift_of(organisation, traits=keys(**ANN, card="own"))
    for number in range(others):
        paid(organisation, card=f"card {number}", **ANN)
    if is_written_down:
        paid(organisation, gift=gift.id, card="own", **ANN)

    result = found_settled("many_cards", gift)

    assert came_out(result) == outcome
    assert result["evidence"]["cards"] == others + 1
    assert not holds(gift)


@pytest.mark.parametrize(("age", "outcome"), [(24 * HOUR - TICK, REVIEWED), (24 * HOUR, PASSED)])
def test_cards_of_yesterday_are_forgotten(organisation, age, outcome):
    for number in range(3):
        declined(organisation, at=NOW - age, card=f"card {number}", **ANN)

    assert came_out(found("many_cards", gift_of(organisation, traits=keys(**ANN)))) == outcome


def test_who_is_not_known_has_no_cards(organisation):
    gift = gift_of(organisation, traits=keys(session="browser"))

    assert came_out(found("many_cards", gift)) == NOT_RUN


# One card, many e-mail addresses


@pytest.mark.parametrize(
    ("others", "outcome", "is_held"),
    [
        (1, PASSED, False),
        (2, REVIEWED, False),
        (3, REVIEWED, False),
        (4, BLOCKED, True),
        (5, BLOCKED, True),
    ],
)
def test_one_card_with_many_addresses_is_reviewed_and_then_held(
    organisation, others, outcome, is_held
):
    gift = gift_of(organisation, traits=keys(card="one", email="ann@example.org"))
    for number in range(others):
        paid(OrganisationFactory(), card="one", email=f"{number}@example.org")

    result = found_settled("many_emails", gift)

    assert came_out(result) == outcome
    assert result["evidence"] == {"emails": others + 1, "limit": 3, "block_limit": 5, "days": 7}
    assert holds(gift) == is_held


@pytest.mark.parametrize(("age", "outcome"), [(7 * DAY - TICK, BLOCKED), (7 * DAY, PASSED)])
def test_addresses_of_last_week_are_forgotten(organisation, age, outcome):
    for number in range(4):
        declined(organisation, at=NOW - age, card="one", email=f"{number}@example.org")
    gift = gift_of(organisation, traits=keys(card="one", email="ann@example.org"))

    assert came_out(found_settled("many_emails", gift)) == outcome


def test_without_a_card_nobodys_addresses_are_counted(organisation):
    paid(organisation, email="ann@example.org")

    assert came_out(found_settled("many_emails", gift_of(organisation))) == NOT_RUN


# A card of another country


@pytest.mark.parametrize(
    ("country", "outcome", "score"), [("BE", PASSED, 0), ("FR", SCORED, 20), ("", NOT_RUN, 0)]
)
def test_a_card_from_abroad_scores_and_no_more(organisation, country, outcome, score):
    result = found_settled("card_abroad", gift_of(organisation, traits=keys(country=country)))

    assert (came_out(result), result["score"]) == (outcome, score)
    if country:
        assert result["evidence"] == {"card": country, "organisation": "BE"}


# Who paid


def test_known_donors_are_shown_by_card_address_and_name(organisation):
    zoe = {"card": "zoe's", "email": "zoe@example.org", "name": "Zoë"}
    gift = gift_of(organisation, traits=keys(**zoe))
    paid(organisation, gift=gift.id, **zoe)
    for traits in (zoe, {"card": "zoe's"}, {"name": "ZOË"}, {"email": "zoe@example.org "}):
        paid(organisation, at=NOW - 99 * DAY, **traits)
    paid(organisation, at=NOW + TICK, **zoe)
    declined(organisation, **zoe)
    paid(OrganisationFactory(), **zoe)

    result = found_settled("known_donor", gift)

    assert (came_out(result), result["score"]) == (PASSED, 0)
    assert result["evidence"] == {
        "gifts_with_card": 2,
        "gifts_with_email": 2,
        "gifts_with_name": 2,
        "other_names": 0,
        "other_names_limit": 1,
        "other_emails": 0,
    }


@pytest.mark.parametrize("own", ["Zoë", ""])
@pytest.mark.parametrize(("names", "outcome", "score"), [(0, PASSED, 0), (1, SCORED, 20)])
def test_the_same_card_under_other_names_scores(organisation, own, names, outcome, score):
    gift = gift_of(organisation, traits=keys(card="one", name=own))
    for number in range(names):
        paid(organisation, card="one", name=f"Somebody {number}", email=f"{number}@example.org")
    paid(OrganisationFactory(), card="one", name="Elsewhere")
    paid(organisation, card="another", name="Somebody else")

    result = found_settled("known_donor", gift)

    assert (came_out(result), result["score"]) == (outcome, score)
    assert (result["evidence"]["other_names"], result["evidence"]["other_emails"]) == (names, names)


@pytest.mark.parametrize("trait", ["card", "email", "name"])
def test_one_thing_known_of_a_payer_is_enough_to_look(organisation, trait):
    gift = gift_of(organisation, traits=keys(**{trait: "known"}))
    paid(organisation, **{trait: "known"})

    result = found_settled("known_donor", gift)

    assert came_out(result) == PASSED
    assert result["evidence"][f"gifts_with_{trait}"] == 1


def test_of_whom_nothing_is_known_nothing_is_shown(organisation):
    gift = gift_of(organisation, traits=keys(address="192.88.99.1"))

    assert came_out(found_settled("known_donor", gift)) == NOT_RUN
