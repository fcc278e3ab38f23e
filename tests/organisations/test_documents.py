"""Documents: taken by their bytes, kept where no URL leads, handed to those who may see them."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from organisations.models import Document, Membership, Organisation
from organisations.services.documents import COUNT_MAX, clean_name
from tests.factories import DocumentFactory, MembershipFactory, OrganisationFactory

HERE = "/dashboard/lantern/application/documents"
PDF = b"%PDF-1.7\n" + b"x" * 100
pytestmark = pytest.mark.django_db


def add(client, content=PDF, name="statutes.pdf"):
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return client.post(HERE, {"document": file}, follow=True)


def files(settings):
    folder = settings.DATA_DIR / "documents"
    return sorted(folder.iterdir()) if folder.exists() else []


@pytest.mark.parametrize(
    ("content", "kind", "ending"),
    [
        (PDF, "application/pdf", "pdf"),
        (b"\x89PNG\r\n\x1a\n....", "image/png", "png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg", "jpg"),
    ],
)
def test_a_paper_is_kept_as_what_its_bytes_are(browser, settings, content, kind, ending):
    page = add(browser, content, "page.html").content.decode()

    document = Document.objects.get()
    assert (document.kind, document.name) == (kind, f"page.html.{ending}")
    assert (document.size, document.added_by.email) == (len(content), "zoe@example.org")
    [file] = files(settings)
    assert file.name == document.stored_as
    assert file.read_bytes() == content
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert document.name in page


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><script>", "this one is something else"),
        (b" %PDF-", "this one is something else"),
        (
            b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
            "this one is something else",
        ),
        (b"PK\x03\x04 a zip that holds millions of zeros", "this one is something else"),
        (b"\xef\xbb\xbf%PDF-", "this one is something else"),
        (b"GIF89a", "this one is something else"),
        (b"", "not empty"),
        (PDF + b"x" * 10 * 2**20, "at most 10 MB"),
    ],
)
def test_what_is_none_of_these_is_refused_in_words(browser, settings, content, words):
    assert words in add(browser, content).content.decode()
    assert not Document.objects.exists()
    assert not files(settings)


def test_a_form_without_a_file_is_told_what_to_choose(browser):
    page = browser.post(HERE, follow=True)

    assert "Choose a PDF, PNG or JPEG file" in page.content.decode()


def test_the_same_file_is_kept_once(browser, settings):
    add(browser)

    assert "there already" in add(browser, name="again.pdf").content.decode()
    assert len(files(settings)) == 1


def test_there_are_at_most_ten(browser, draft):
    DocumentFactory.create_batch(COUNT_MAX, organisation=draft)

    assert "remove one first" in add(browser).content.decode()
    assert Document.objects.count() == COUNT_MAX


def test_a_paper_is_handed_out_to_be_saved_and_nothing_else(browser, draft):
    document = DocumentFactory(organisation=draft, file=PDF)

    response = browser.get(f"{HERE}/{document.id}")

    assert response.content == PDF
    assert response["Content-Disposition"] == 'attachment; filename="statutes.pdf"'
    assert response["Content-Type"] == "application/pdf"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in response["Cache-Control"]


def test_only_those_who_set_the_organisation_up_have_it(draft, browser):
    document = DocumentFactory(organisation=draft)
    other = OrganisationFactory(slug="other")
    member = Client()
    member.force_login(MembershipFactory(organisation=other).user)
    viewer = Client()
    viewer.force_login(MembershipFactory(organisation=draft, role=Membership.Role.VIEWER).user)

    assert member.get(f"/dashboard/other/application/documents/{document.id}").status_code == 404
    assert member.get(f"{HERE}/{document.id}").status_code == 404
    assert viewer.get(f"{HERE}/{document.id}").status_code == 403
    assert Client().get(f"{HERE}/{document.id}").status_code == 302


def test_a_file_that_is_gone_is_not_found(browser, draft, settings):
    document = DocumentFactory(organisation=draft)
    files(settings)[0].unlink()

    assert browser.get(f"{HERE}/{document.id}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_the_file_goes_with_its_row(browser, draft, settings):
    document = DocumentFactory(organisation=draft)
    others = DocumentFactory()

    for one in (document, others):
        browser.post(f"{HERE}/{one.id}/remove")

    assert list(Document.objects.all()) == [others]
    assert [file.name for file in files(settings)] == [others.stored_as]


def test_what_was_sent_in_stays_as_it_is(browser, draft):
    document = DocumentFactory(organisation=draft)
    Organisation.objects.update(status="applied")

    for response in (browser.post(f"{HERE}/{document.id}/remove", follow=True), add(browser)):
        assert "was sent in" in response.content.decode()
    assert Document.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Statuts 2024.PDF", "Statuts 2024.pdf"),
        ("../../etc/passwd", "etcpasswd.pdf"),
        ('a"\r\nSet-Cookie: x.pdf', "aSet-Cookie x.pdf"),
        ("\u202efdp.exe", "fdp.exe.pdf"),
        ("規約.jpeg", "規約.pdf"),
        (" . ", "document.pdf"),
        ("x" * 300, "x" * 116 + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(name, kept):
    assert clean_name(name, Document.Kind.PDF) == kept
