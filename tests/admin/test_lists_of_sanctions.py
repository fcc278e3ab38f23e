"""Lists of sanctions in the admin: how each stands, and who is told that one fails."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import SanctionListFactory

HOME, LISTS = "/admin/", "/admin/reviews/sanctionlist/"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
COMMAND = "<code>manage.py load_sanctions --list EU</code>"
AGAIN = f"Load its newest files: {COMMAND} (docs/sanctions.md). "
ERRORS = "Until then screenings that find nothing are errors."
NEVER = {"published_on": None, "imported_at": None, "sha256": "", "entries": 0}


@pytest.fixture(autouse=True)
def now(db, monkeypatch, settings) -> datetime:
    """Noon of a day on which the European Union's list is configured."""
    settings.SANCTION_LISTS = ["EU"]
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    return NOW


def text(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def tag(words: str, press: str) -> str:
    return f'<span class="tag{press and f" tag--{press}"}">{words}</span>'


@pytest.mark.parametrize(
    ("ago", "error", "stands", "remedy"),
    [
        (timedelta(hours=12), "", ("good", "read today"), ""),
        (DAY, "", ("good", "read yesterday"), ""),
        (7 * DAY, "", ("good", "read on 15 November 2026"), ""),
        (
            *(7 * DAY + timedelta(seconds=1), ""),
            ("bad", "not read since 15 November 2026"),
            AGAIN + ERRORS,
        ),
        (
            *(2 * DAY, "There is nobody on the list."),
            ("wait", "not read since 20 November 2026"),
            f"There is nobody on the list. {AGAIN}"
            "What was read before is in use until 27 November 2026.",
        ),
        (
            *(9 * DAY, "No such file"),
            ("bad", "not read since 13 November 2026"),
            f"No such file. {AGAIN}{ERRORS}",
        ),
    ],
)
def test_a_list_says_how_it_stands_and_what_to_do(chief, ago, error, stands, remedy):
    press, words = stands[0], f"{stands[1]}, 17,214 parties"
    failing = {"error": error, "failing_since": NOW} if error else {}
    SanctionListFactory(imported_at=NOW - ago, **failing)

    home, lists = text(chief, HOME), text(chief, LISTS)
    page = text(chief, f"{LISTS}EU/change/")

    assert tag(words, press) in lists
    assert tag(words, press) in page
    assert (remedy or "Nothing.") in page
    told = f"<strong>List of sanctions, European Union: {words}.</strong> {remedy}"
    assert [told in home, told in lists] == [bool(remedy)] * 2
    assert (f"notice--{press}" in home) == bool(remedy)


def test_a_list_that_could_never_be_read_says_why(chief):
    SanctionListFactory(**NEVER, error="<b> breaks off.", failing_since=NOW)

    assert tag("never read", "bad") in text(chief, LISTS)
    assert f"&lt;b&gt; breaks off. {AGAIN}{ERRORS}" in text(chief, HOME)


def test_a_list_that_nobody_loaded_is_told_too(chief, settings):
    settings.SANCTION_LISTS = ["UN"]
    words = "<strong>List of sanctions, United Nations: never read.</strong>"

    assert words in text(chief, HOME)
    assert words in text(chief, LISTS)


def test_a_list_that_is_not_configured_presses_nobody(chief, settings):
    settings.SANCTION_LISTS = []
    SanctionListFactory(imported_at=NOW - 30 * DAY)

    words = "not read since 23 October 2026, 17,214 parties; not in use"
    assert f"{words}, for SANCTION_LISTS does not name it" in text(chief, LISTS)
    assert "List of sanctions" not in text(chief, HOME)


def test_only_who_may_see_lists_is_told(staff_with):
    assert "never read" in text(staff_with("reviews.view_sanctionlist"), HOME)
    assert "never read" not in text(staff_with("reviews.view_case"), HOME)
