"""The page that says how to verify, and what every page keeps to."""

import re
from datetime import datetime, timedelta, timezone

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string

from ledger.models import Book
from ledger.templatetags import figures
from organisations.models import Organisation
from tests.pages.conftest import write


def test_the_heads_of_the_public_books_are_shown(client, organisation):
    write(organisation, {})
    book = Book.objects.get(organisation=organisation, book="public")

    page = client.get("/verify").content.decode()

    assert book.head_hash in page
    assert "almoner_verify.py" in page
    assert "sha256sum" in page


def test_the_book_of_an_organisation_that_is_not_public_is_not_shown(client, organisation):
    organisation.status = Organisation.Status.REJECTED
    organisation.save(update_fields=["status"])

    assert "No ledger yet" in client.get("/verify").content.decode()


def test_without_a_book_the_page_says_so(client, db):
    assert "No ledger yet" in client.get("/verify").content.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/organisations",
        "/verify",
        "/o/lantern-house",
        "/o/lantern-house/ledger",
        "/o/lantern-house/ledger/0",
        "/o/lantern-house/donate",
        "/nowhere",
    ],
)
def test_no_page_has_anything_inline_or_from_outside(client, organisation, path):
    response = client.get(path)

    page = response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.findall(r'(?:src|<link[^>]*href)="(?!/static/)', page)


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_every_error_has_a_sentence_and_a_remedy(name):
    page = render_to_string(f"{name}.html")

    assert re.search(r"<h1>\s*\w", page)
    assert "Find an organisation" in page


def test_an_address_that_is_not_there_answers_404_with_a_remedy(client, db):
    response = client.get("/nowhere")

    assert response.status_code == 404
    assert "There is no page at this address" in response.content.decode()


def test_times_say_exactly_when_to_machines():
    value = datetime(2026, 11, 3, 1, 2, 9, tzinfo=timezone(timedelta(hours=1)))
    told = '<time datetime="2026-11-03T00:02:09Z">{}</time>'

    assert figures.moment(value) == told.format("3 November 2026, 01:02 UTC")
    assert figures.clock(value) == told.format("3 Nov 2026 01:02")
    assert figures.day(value) == told.format("3 November 2026")


@pytest.mark.parametrize(("direction", "sign"), [("in", "+"), ("out", "\u2212"), ("moved", "")])
def test_amounts_say_where_they_go(direction, sign):
    assert figures.moved(1230, "EUR", direction) == (
        f'<span class="amount amount--{direction}">{sign}12.30 <abbr>EUR</abbr></span>'
    )


def test_figures_read_as_people_write_them():
    template = Template(
        "{% load figures %}{{ 12408|number }} {{ 105|amount:'EUR' }} {{ hash|short_hash }} "
        "{{ words|shell_quoted }} {{ value|compact }}"
    )

    text = template.render(
        Context(
            {"hash": "sha256:d3a1ae27ff", "words": "l'été", "value": {"b": 1, "a": True}},
            autoescape=False,
        )
    )

    assert text == "12,408 1.05 d3a1\xa0ae27 'l'\"'\"'été' " + '{"a": true, "b": 1}'


def wanted(client, **query):
    return client.get("/verify", query).context["wanted"]


def test_who_comes_by_a_code_gets_the_receipt_of_that_entry(client, organisation):
    write(organisation, {})

    entry = wanted(client, organisation="lantern-house", entry="1")

    assert (entry.organisation, entry.sequence) == (organisation, 1)


@pytest.mark.parametrize(
    ("slug", "sequence"),
    [
        ("lantern-house", "9"),
        ("lantern-house", "-1"),
        ("lantern-house", "x"),
        ("lantern-house", "1" * 30),
        ("lantern-house", "\u0661"),
        ("lantern-house", ""),
        ("nobody", "0"),
        ("a\0b", "0"),
        ("", ""),
    ],
)
def test_an_address_that_leads_to_no_entry_shows_the_page_as_it_is(
    client, organisation, slug, sequence
):
    assert wanted(client, organisation=slug, entry=sequence) is None
