"""What staff see of applications, and how they give one back."""

import pytest

from organisations.models import Mail, Organisation
from tests.admin.test_decisions import act, told
from tests.factories import (
    ApplicantFactory,
    DocumentFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
)

LIST = "/admin/organisations/organisation/"


@pytest.fixture
def applicant(db) -> Organisation:
    """An organisation that waits."""
    made = ApplicantFactory(name="Lantern", slug="lantern", registration="0403.019.261")
    MembershipFactory(organisation=made, user__email="zoe@example.org")
    return made


def page_of(client, organisation):
    return client.get(f"{LIST}{organisation.pk}/change/").content.decode()


def test_staff_see_number_documents_and_stripe(chief, applicant):
    document = DocumentFactory(organisation=applicant, name="<b>statutes.pdf")
    StripeAccountStateFactory(
        organisation=applicant, charges_enabled=False, currently_due=["company.tax_id"]
    )

    page = page_of(chief, applicant)

    assert "0403.019.261 (checked)" in page
    link = f"{LIST}documents/{document.id}/"
    assert f'<a href="{link}">&lt;b&gt;statutes.pdf</a>, 5 bytes' in page
    assert "takes payments: no; is paid out: yes; form sent in: yes" in page
    assert "due: Its tax number" in page
    response = chief.get(link)
    assert response.content == b"%PDF-"
    assert response["Content-Disposition"].startswith("attachment")


def test_what_is_not_there_is_said(chief, db):
    applicant = ApplicantFactory(country="GB", registration="1123456")

    page = page_of(chief, applicant)

    assert "1123456 (not checked)" in page
    assert "not read yet" in page


def test_who_may_only_look_opens_no_document(staff_with, applicant):
    document = DocumentFactory(organisation=applicant)
    client = staff_with("organisations.view_organisation")

    assert client.get(f"{LIST}documents/{document.id}/").status_code == 403
    assert (
        staff_with("organisations.review_organisation")
        .get(f"{LIST}documents/{document.id}/")
        .status_code
        == 200
    )


def test_the_list_says_how_each_account_stands(chief, db):
    ApplicantFactory(stripe_account=None)
    ApplicantFactory()
    StripeAccountStateFactory()
    StripeAccountStateFactory(charges_enabled=False)
    gone = OrganisationFactory(name="Saltmarsh")
    StripeAccountStateFactory(organisation=gone, disconnected_at="2026-11-21T12:00:00Z")

    page = chief.get(LIST)

    words = ("none", "connected", "takes payments", "waits for information", "disconnected")
    for word in words:
        assert f'class="field-connection">{word}<' in page.content.decode()
    assert told(page) == ["Disconnected from Stripe, so that they take no gifts: Saltmarsh."]


def test_an_application_is_given_back_with_a_question(chief, applicant):
    page = act(chief, LIST, "ask_for_more", applicant)
    assert page.context["title"] == "Ask for more"

    page = act(chief, LIST, "ask_for_more", applicant, reason="Who signs for you?")

    assert "Lantern: given back." in told(page)
    applicant.refresh_from_db()
    assert (applicant.status, applicant.question) == ("draft", "Who signs for you?")
    mail = Mail.objects.get()
    assert mail.recipient == "zoe@example.org"
    assert "Who signs for you?" in mail.body
    assert "Nothing" not in mail.body


@pytest.mark.parametrize(
    ("action", "subject", "words"),
    [
        ("approve", "Lantern is approved", "http://localhost:8000/o/lantern"),
        ("reject", "The application of Lantern", "Not a charity & no papers."),
    ],
)
def test_the_owners_hear_of_a_decision(chief, applicant, action, subject, words):
    act(chief, LIST, action, applicant, reason="Not a charity & no papers.")

    mail = Mail.objects.get()
    assert (mail.recipient, mail.subject) == ("zoe@example.org", subject)
    assert words in mail.body


@pytest.mark.parametrize("action", ["approve", "reject", "ask_for_more"])
def test_a_draft_is_not_decided_on(chief, applicant, action):
    Organisation.objects.update(status="draft")

    page = act(chief, LIST, action, applicant, reason="Because.")

    assert len(told(page)) == 1
    applicant.refresh_from_db()
    assert applicant.status == "draft"
    assert not Mail.objects.exists()
