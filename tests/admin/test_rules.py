"""Rules as staff see them: what runs, what is proposed, and how it is put in force."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from reviews.errors import NotBacktested, SecondPersonNeeded
from reviews.models import RuleVersion
from reviews.services import backtests, versions
from tests.admin.test_decisions import told
from tests.factories import OrganisationFactory, RuleVersionFactory

VERSIONS = "/admin/reviews/ruleversion/"
PROPOSE = f"{VERSIONS}propose/"
TESTED = {
    "gifts": 1_200,
    "hits": 14,
    "errors": 0,
    "held_gifts": 3,
    "held_amounts": {"EUR": 123_400},
    "by_verdict": {"review": 14},
}


def url(version: RuleVersion) -> str:
    """Return where a version is."""
    return f"{VERSIONS}{version.pk}/change/"


def propose(client: Client, rule: str, **fields):
    """Send the form of a rule."""
    data = {"mode": "active", "reason": "Choirs give together.", **fields}
    return client.post(f"{PROPOSE}?rule={rule}", data, follow=True)


def do(client: Client, version: RuleVersion, act: str) -> list[str]:
    """Do something with a version on its page; return what staff are told."""
    return told(client.post(url(version), {"act": act}, follow=True))


def test_every_rule_is_said_in_words_with_what_is_in_force(chief, ana):
    RuleVersionFactory(mode="off", number=4, backtest=TESTED, rule="email_pace")
    versions.activate(version=RuleVersion.objects.get(), by=ana)
    RuleVersionFactory(rule="donor_pace", parameters={"per_hour": 9}, backtest=TESTED)
    versions.activate(version=RuleVersion.objects.get(rule="donor_pace"), by=ana)

    page = chief.get(PROPOSE).content.decode()

    assert "switched off, version 4" in page
    assert "tries more than 9 gifts" in page
    assert "as shipped" in page
    assert "Two people decide" in page
    assert "Now: * 100,000." in page


def test_a_version_is_proposed_with_a_reason(chief, superuser):
    organisation = OrganisationFactory(slug="lantern")

    page = propose(chief, "donor_pace", per_hour=7, organisation="lantern")

    version = RuleVersion.objects.get()
    assert page.redirect_chain == [(url(version), 302)]
    assert (version.organisation, version.parameters) == (organisation, {"per_hour": 7})
    assert (version.proposed_by, version.reason) == (superuser, "Choirs give together.")
    assert "being tested" in page.content.decode()
    assert LogEntry.objects.get().change_message == "proposed: Choirs give together."


def test_amounts_are_written_a_currency_a_line(chief):
    form = chief.get(PROPOSE, {"rule": "first_gift"}).content.decode()
    fields = {"days": 30, "gifts": 10}
    propose(chief, "first_gift", least="EUR 2000\n* 3000", **fields)
    wrong = propose(chief, "first_gift", least="EUR two", **fields)

    assert "* 1000" in form
    assert RuleVersion.objects.get().parameters["least"] == {"EUR": 2_000, "*": 3_000}
    assert "Write one a line" in wrong.content.decode()


def test_an_amount_of_thousands_of_digits_is_asked_for_again(chief):
    page = propose(chief, "two_people", amounts=f"* {'9' * 5_000}")

    assert "a whole number of at most 10 digits" in page.content.decode()
    assert RuleVersion.objects.count() == 0


def test_the_limit_of_two_people_is_proposed_alike(chief):
    page = propose(chief, "two_people", amounts="EUR 50000\n* 100000")

    version = RuleVersion.objects.get()
    assert version.parameters == {"EUR": 50_000, "*": 100_000}
    assert "Two people decide, version 1" in page.content.decode()
    assert "EUR" in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason": ""}, "This field is required."),
        ({"per_hour": "many"}, "Enter a whole number."),
        ({"per_hour": 0}, "per_hour"),
        ({"organisation": "nowhere"}, "No organisation has this address."),
    ],
)
def test_what_is_no_version_is_asked_for_again(chief, fields, words):
    page = propose(chief, "donor_pace", **{"per_hour": 7, **fields})

    assert words in page.content.decode()
    assert RuleVersion.objects.count() == 0


def test_somebody_else_puts_a_version_in_force(chief, superuser, anas, ana):
    version = RuleVersionFactory(proposed_by=superuser, backtest=TESTED)
    own = chief.get(url(version)).content.decode()

    refused = do(chief, version, "activate")
    done = do(anas, version, "activate")

    assert "You proposed it: somebody else puts it in force." in own
    assert refused == [f"{version}: {SecondPersonNeeded()}"]
    assert done == [f"{version}: put in force."]
    version.refresh_from_db()
    assert version.activated_by == ana
    assert "Ana put it in force" in chief.get(url(version)).content.decode()
    assert "put in force by Ana" in chief.get(VERSIONS).content.decode()


def test_what_was_not_tested_is_not_put_in_force(chief):
    version = RuleVersionFactory()

    page = chief.get(url(version)).content.decode()

    assert "The test has not ended." in page
    assert do(chief, version, "activate") == [f"{version}: {NotBacktested()}"]
    assert "in the shadow, being tested" in chief.get(VERSIONS).content.decode()


def test_a_version_says_what_it_would_have_found(chief):
    page = chief.get(url(RuleVersionFactory(backtest=TESTED, mode="off"))).content.decode()

    for words in ("1,200", "1,234.00 EUR", "review 14", "It switches the rule off."):
        assert words in page


def test_limits_are_tested_on_cases(chief):
    version = RuleVersionFactory(rule="two_people", parameters={"*": 50_000})
    backtests.backtest(version=version)

    page = chief.get(url(version)).content.decode()

    assert "Cases that two people would have decided" in page
    assert "Gifts looked at" not in page


def test_a_version_is_withdrawn(chief):
    version = RuleVersionFactory(backtest=TESTED, organisation=OrganisationFactory(name="Lantern"))
    before = chief.get(url(version)).content.decode()

    assert do(chief, version, "withdraw") == [f"{version}: withdrawn."]

    assert "For Lantern alone." in before
    assert "It was withdrawn" in chief.get(url(version)).content.decode()
    assert "withdrawn" in chief.get(VERSIONS).content.decode()


def test_a_version_is_tested_again(chief):
    version = RuleVersionFactory(backtest=TESTED)

    assert do(chief, version, "backtest") == [f"{version}: is being tested on the last 90 days."]


def test_an_unknown_act_does_nothing(chief):
    assert do(chief, RuleVersionFactory(), "burn") == []


def test_a_version_of_a_rule_that_is_gone_is_still_shown(chief):
    version = RuleVersionFactory(rule="gone_rule", parameters={"per_hour": 3})

    assert "gone_rule, version 1" in chief.get(url(version)).content.decode()


def test_a_rule_whose_parameters_a_release_took_away_is_shown_and_proposed_anew(chief, ana):
    kept = {"per_hour": 5, "per_fortnight": 3}
    version = RuleVersionFactory(parameters=kept, backtest=TESTED)
    versions.activate(version=version, by=ana)

    pages = [
        chief.get(where).content.decode()
        for where in (PROPOSE, f"{PROPOSE}?rule={version.rule}", url(version))
    ]

    for page in pages:
        assert "It cannot run until somebody proposes it anew." in page
        assert "Kept is: per hour 5; per fortnight 3." in page
    assert 'name="per_hour"' in pages[1]
    assert 'name="per_fortnight"' not in pages[1]
    propose(chief, version.rule, per_hour=7)
    assert RuleVersion.objects.latest("id").parameters == {"per_hour": 7}


def test_who_may_only_look_sets_nothing(staff_with):
    version, client = RuleVersionFactory(), staff_with("reviews.view_ruleversion")

    assert "and not set them" in client.get(url(version)).content.decode()
    assert client.post(url(version), {"act": "withdraw"}).status_code == 403
    assert client.get(PROPOSE).status_code == 403
    assert PROPOSE not in client.get(VERSIONS).content.decode()


def test_who_may_not_look_sees_nothing(staff_with):
    assert staff_with().get(url(RuleVersionFactory())).status_code == 403


def test_a_version_that_is_not_there_leads_back(chief, db):
    assert chief.get(f"{VERSIONS}77/change/").status_code == 302
