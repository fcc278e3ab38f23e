"""The page about the rules says what the code does."""

from pathlib import Path

import pytest
from django.utils import timezone

from reviews.models import Screening
from reviews.rules.facts import Account
from reviews.rules.register import RULES, rule_named
from reviews.services.screening import screen, screen_account
from tests.factories import OrganisationFactory
from tests.reviews.screening import gift_of

PAGE = Path("docs/rules.md")
LOOKS_AT = {
    "promise": "a promise",
    "settlement": "a settled gift",
    "refund": "a refund",
    "account": "an account",
}


def rows():
    """Return the page's row of each rule: its name, what it looks at, what it says, its verdict."""
    lines = PAGE.read_text("utf-8").partition("## The rules")[2].splitlines()
    listed = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if "| `" in line]
    return [(name.strip("`"), *others) for name, *others in listed]


def test_every_rule_is_on_the_page_with_its_sentence_and_defaults():
    expected = [
        (
            rule.name,
            ", ".join(what for name, what in LOOKS_AT.items() if name in rule.occasions),
            rule.in_words(rule.defaults),
        )
        for rule in RULES.values()
    ]

    assert [row[:3] for row in rows()] == expected


def test_the_page_says_of_every_verdict_what_follows():
    said = PAGE.read_text("utf-8").partition("## How they count")[0]

    assert all(f"| `{verdict}` |" in said for verdict in Screening.Verdict.values)
    told = {word.strip(" ,") for row in rows() for word in row[3].replace("and", ",").split(",")}
    assert told == {"approve", "challenge", "review", "block", "hold"}


@pytest.mark.django_db
@pytest.mark.parametrize("occasion", LOOKS_AT)
def test_every_rule_runs_on_the_occasions_that_the_page_says(occasion):
    organisation = OrganisationFactory()
    if occasion == "account":
        account = Account(organisation, 0, [], [], None, bank_shared_with=[], at=timezone.now())
        screened = screen_account(account)
    else:
        screened = screen(occasion=Screening.Occasion(occasion), gift=gift_of(organisation))

    ran = [result["rule"] for result in screened.kept.results]

    assert ran == [row[0] for row in rows() if LOOKS_AT[occasion] in row[1].split(", ")]
    assert str(screened.kept).endswith(": approve")


def test_titles_are_short_and_no_two_are_alike():
    titles = {rule.title for rule in RULES.values()}

    assert len(titles) == len(RULES)
    assert max(len(title) for title in titles) <= 45
    assert rule_named("card_series").title in titles
