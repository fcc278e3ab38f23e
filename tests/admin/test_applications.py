"""What staff see of organisations; they decide on them in their cases (tests/reviews)."""

import pytest
from django.contrib.admin.models import LogEntry

from organisations.models import Organisation
from tests.admin.test_decisions import told
from tests.factories import (
    ApplicantFactory,
    DocumentFactory,
    MembershipFactory,
    OrganisationFactory,
    StripeAccountStateFactory,
)

# A page that calls itself a PDF.
HOSTILE = b"%PDF-1.7<html><script>alert(document.cookie)</script>"
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


def test_who_may_see_documents_opens_them_and_that_is_kept(staff_with, applicant):
    document = DocumentFactory(organisation=applicant, name="paper.pdf", file=HOSTILE)
    link = f"{LIST}documents/{document.id}/"

    refused = staff_with("organisations.view_organisation").get(link)
    assert (refused.status_code, LogEntry.objects.count()) == (403, 0)
    response = staff_with("organisations.view_document").get(link)

    assert response.content == HOSTILE
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == 'attachment; filename="paper.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    logged = LogEntry.objects.get()
    assert (logged.object_id, logged.change_message) == (applicant.id, f"opened {document.id}")


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
