"""What the page of an application's case shows of the applicant."""

import pytest
from django.template.loader import render_to_string
from django.test import Client

from organisations.models import Organisation, StripeAccountState
from organisations.services import applications, tenants
from reviews.models import Case
from reviews.panels import panels_of
from reviews.services.deciding import decide
from tests.factories import (
    NOON,
    CaseFactory,
    DocumentFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
    UserFactory,
)
from tests.reviews.test_applications import case, draft, reviewer

__all__ = ["case", "draft", "reviewer"]
pytestmark = pytest.mark.django_db


def shown(case):
    """Return the panels as they stand on the page, with their blanks as one."""
    chief = UserFactory(is_superuser=True)
    panels = panels_of(case, chief)
    assert [panel.title for panel in panels] == [
        "The applicant",
        "The applicant’s documents",
        "Who acts for the applicant",
    ]
    parts = [render_to_string(panel.template, {"panel": panel.context}) for panel in panels]
    return " ".join("".join(parts).split())


def test_identity_checks_account_and_people_are_shown(draft, case):
    Organisation.objects.filter(pk=draft.pk).update(description="<b>Forty</b>\nbeds.")
    StripeAccountState.objects.update(currently_due=["company.tax_id"], payouts_enabled=False)
    case.refresh_from_db()

    page = shown(case)

    assert "&lt;b&gt;Forty&lt;/b&gt;<br>beds." in page
    assert 'href="https://lantern.example" rel="noreferrer nofollow"' in page
    assert page.count("in order") == 4
    assert "<dd> 0403.019.261 </dd>" in page
    assert "it takes payments and is not paid out yet" in page
    assert "<li>Its tax number</li>" in page
    assert "zoe@example.org, owner" in page


def test_documents_are_files_to_save_and_who_opened_them_is_shown(draft, case, reviewer):
    paper = draft.documents.get()
    other = DocumentFactory(organisation=draft, name="budget.pdf")
    link = f"/admin/organisations/organisation/documents/{paper.id}/"
    assert shown(case).count("nobody has opened it") == 2

    client = Client()
    client.force_login(reviewer)
    client.get(link)

    page = shown(case)
    assert f'<a href="{link}">statutes.pdf</a>' in page
    assert page.count("nobody has opened it") == 1
    assert f"opened by {reviewer}" in page
    assert page.index(str(reviewer)) < page.index(other.name)


def test_the_mail_of_each_decision_is_shown_before_it_goes_out(draft, case):
    page = shown(case)

    assert page.count("the mail that goes out") == 3
    assert "Lantern is approved" in page
    assert page.count("[what you write as the reason]") == 2
    draft.refresh_from_db()
    assert (draft.question, draft.decision_reason) == ("", "")


def test_what_was_decided_before_is_shown(draft, case, reviewer):
    decide(case=case, by=reviewer, choice="ask", reason="Who signs?")
    applications.submit_application(organisation=draft)
    owner = draft.memberships.get().user
    before = MembershipFactory(organisation=OrganisationFactory(name="Pond"), user=owner)

    page = shown(Case.objects.open().get())

    assert f"ask, by {reviewer}. “Who signs?”" in page
    assert f"{before.organisation}</a>: approved “Known to us.”" in page


def test_an_operators_word_is_nobodys(draft, case):
    tenants.approve(organisation=draft, decided_by=None, reason="Known to us.")
    again = CaseFactory(kind=Case.Kind.APPLICATION, subject=draft.id, organisation=draft)

    assert "overtaken, by nobody" in shown(again)


def test_a_decided_case_offers_no_mail(case, reviewer):
    decided = decide(case=case, by=reviewer, choice="reject", reason="No papers.").case

    assert "the mail that goes out" not in shown(decided)


def test_what_is_not_there_is_said():
    organisation = OrganisationFactory(stripe_account=None)
    case = CaseFactory(kind=Case.Kind.APPLICATION, organisation=organisation)

    page = shown(case)

    for words in ("Nothing was looked at by itself", "There are none.", "None is connected."):
        assert words in page
    assert "Nobody yet." in page
    assert "<dd> none </dd>" in page


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"read_at": None}, "has not been read yet"),
        ({"disconnected_at": NOON}, "Its owner disconnected it on"),
        ({"disabled_reason": "listed"}, "Stripe compares the account with a list of sanctions."),
    ],
)
def test_how_the_account_stands_is_said_in_words(state, words):
    account = StripeAccountStateFactory(**state)
    case = CaseFactory(kind=Case.Kind.APPLICATION, organisation=account.organisation)

    assert words in shown(case)


def test_a_case_of_nobody_has_no_applicant():
    case, chief = CaseFactory(kind="application", organisation=None), UserFactory(is_superuser=True)

    assert panels_of(case, chief) == []
    assert panels_of(CaseFactory(), chief) == []
