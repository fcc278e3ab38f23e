"""What is looked at by itself when an organisation applies: found, in order, or not looked at."""

from pathlib import Path

import pytest

from organisations.models import Organisation, StripeAccountState
from reviews.rules import applications
from reviews.rules.applications import CHECKS, Check
from reviews.services import checking
from reviews.services.checking import look_at
from reviews.services.sanctions import load_list
from tests.factories import (
    NOON,
    ApplicantFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
)

SANCTIONS = Path(__file__).resolve().parents[1] / "data" / "sanctions"
pytestmark = pytest.mark.django_db


@pytest.fixture
def applicant() -> Organisation:
    """An organisation about which nothing is odd."""
    made = ApplicantFactory(
        name="Lantern", registration="0403.019.261", website="https://www.lantern.example/us"
    )
    StripeAccountStateFactory(organisation=made)
    return made


def found(organisation, name):
    """Return outcome and evidence of one check."""
    [result] = [each for each in look_at(organisation) if each["rule"] == name]
    return result["outcome"], result["evidence"]


@pytest.mark.parametrize(
    ("country", "number", "outcome", "word"),
    [
        ("BE", "0403.019.261", "pass", "0403.019.261"),
        ("BE", "0403.019.262", "hit", "such as 0403.019.261"),
        ("BE", "", "hit", "none"),
        ("GB", "1123456", "not_run", "Compare 1123456 by hand"),
    ],
)
def test_the_registration_number(applicant, country, number, outcome, word):
    applicant.country, applicant.registration = country, number

    came, evidence = found(applicant, "registration_number")

    assert came == outcome
    assert word in " ".join(evidence.values())


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ({"name": "lantern"}, {"same_name": "lantern (applied)"}),
        ({"registration": "BE 0403019261"}, {}),
        ({"registration": "0403 019 261"}, {"same_registration": "Pond (applied)"}),
        ({"registration": "0403019261", "country": "NL"}, {}),
        ({"website": "http://lantern.example"}, {"same_website": "Pond (applied)"}),
        ({"website": "https://lantern.example.org"}, {}),
        ({"website": "https://else.example/lantern.example"}, {}),
        ({"name": "LANTERN", "status": "draft"}, {}),
        ({"name": "Lantern House"}, {}),
    ],
)
def test_other_organisations_that_say_the_same(applicant, fields, facts):
    ApplicantFactory(**{"name": "Pond", **fields})

    outcome, evidence = found(applicant, "other_organisations")

    assert outcome == ("hit" if facts else "pass")
    assert evidence == (facts or {"compared": "name, registration number, website"})


def test_what_an_applicant_left_empty_is_nobodys_own(applicant):
    applicant.registration = applicant.website = ""
    ApplicantFactory(name="Pond")

    assert found(applicant, "other_organisations")[0] == "pass"


def test_many_that_say_the_same_are_counted(applicant):
    for number in range(7):
        OrganisationFactory(name="Lantern", slug=f"lantern-{number}")

    _, evidence = found(applicant, "other_organisations")

    assert evidence["same_name"] == "; ".join(["Lantern (approved)"] * 5 + ["2 more"])


@pytest.mark.parametrize(
    ("role", "status", "outcome", "facts"),
    [
        ("owner", "rejected", "hit", {"other_organisations": 1, "rejected": "Pond: No papers."}),
        ("owner", "draft", "pass", {"other_organisations": 1}),
        ("viewer", "rejected", "pass", {"other_organisations": 0}),
    ],
)
def test_what_its_owners_applied_with_before(applicant, role, status, outcome, facts):
    owner = MembershipFactory(organisation=applicant, role=role).user
    before = ApplicantFactory(name="Pond")
    Organisation.objects.filter(pk=before.pk).update(
        status=status, decided_at=NOON, decision_reason="No papers."
    )
    MembershipFactory(organisation=before, user=owner)

    assert found(applicant, "owners_before") == (outcome, facts)


WELL = {"takes_payments": "yes", "is_paid_out": "yes", "due": "nothing"}


@pytest.mark.parametrize(
    ("state", "outcome", "facts"),
    [
        ({}, "pass", WELL),
        ({"payouts_enabled": False}, "pass", {**WELL, "is_paid_out": "no"}),
        ({"currently_due": ["company.tax_id"]}, "pass", {**WELL, "due": "Its tax number"}),
        ({"charges_enabled": False}, "hit", {**WELL, "takes_payments": "no"}),
        ({"past_due": ["company.tax_id"]}, "hit", {**WELL, "overdue": "Its tax number"}),
        ({"disconnected_at": NOON}, "hit", {**WELL, "disconnected": "yes"}),
        (
            {"disabled_reason": "under_review"},
            "hit",
            {**WELL, "stopped": "Stripe is reviewing the account."},
        ),
        ({"read_at": None}, "error", {"why": "Stripe did not tell yet how the account stands."}),
    ],
)
def test_the_stripe_account(applicant, state, outcome, facts):
    StripeAccountState.objects.update(**state)

    assert found(applicant, "stripe_account") == (outcome, facts)


def test_an_account_of_which_nothing_is_known_is_no_pass(applicant):
    StripeAccountState.objects.all().delete()

    assert found(applicant, "stripe_account")[0] == "error"


def test_a_check_that_fails_is_an_error_and_the_others_look(applicant, monkeypatch, caplog):
    def fail(organisation):
        return Organisation.objects.raw("SELECT nothing")[0]

    broken = Check(name="broken", title="Broken", words="It fails.", look=fail)
    monkeypatch.setattr(checking, "CHECKS", (broken, *CHECKS))

    [first, *others] = look_at(applicant)

    assert (first["outcome"], first["evidence"]) == ("error", {"why": "ProgrammingError"})
    assert {each["outcome"] for each in others} == {"pass", "not_run"}
    assert "a check failed" in caplog.text


def test_the_checks_are_named_once():
    names = [check.name for check in applications.CHECKS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("owner", "outcome", "listed"),
    [
        ("Anna Schmidt", "pass", ""),
        ("Ferdusa Kalimantova", "hit", "EU EU.9001.11"),
        ("", "pass", ""),
    ],
)
def test_names_on_lists(applicant, settings, owner, outcome, listed):
    settings.SANCTION_LISTS = ["EU"]
    load_list(source="EU", paths=[SANCTIONS / "eu.xml"])
    MembershipFactory(organisation=applicant, role="owner", user__name=owner)

    came, evidence = found(applicant, "listed_names")

    assert (came, evidence.get("listed", "")) == (outcome, listed)


def test_a_list_that_is_missing_is_no_pass(applicant, settings):
    settings.SANCTION_LISTS = ["EU"]

    came, evidence = found(applicant, "listed_names")

    assert came == "error"
    assert "EU" in evidence["why"]


def test_without_lists_no_name_was_looked_up(applicant):
    assert found(applicant, "listed_names")[0] == "not_run"
