"""The page of figures, and what is saved from it."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from organisations.models import User
from reviews.figures import cases
from reviews.models import Case
from reviews.services.deciding import decide
from tests.factories import (
    CaseFactory,
    HoldFactory,
    OrganisationFactory,
    ScreeningFactory,
    UserFactory,
    found,
)
from tests.reviews.deciding import close_case

FIGURES, EXPORT = "/admin/figures/", "/admin/figures/export/"


def saved(client: Client, table: str) -> list[list[str]]:
    """Return the rows of a file, the first of which names the columns."""
    response = client.get(EXPORT, {"table": table})
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))


def fill(count: int) -> None:
    """Make something of everything that is counted."""
    for number in range(count):
        organisation = OrganisationFactory()
        for kind in (Case.Kind.AUDIT, Case.Kind.DRIFT):
            CaseFactory(kind=kind, organisation=organisation, due_at=timezone.now())
            case = CaseFactory(kind=kind, organisation=organisation)
            close_case(case=case, closed_by=UserFactory(), reason="Explained.")
        HoldFactory(organisation=organisation)
        ScreeningFactory(organisation=organisation, subject=f"don_{number}")
        ScreeningFactory(organisation=organisation, results=[found(mode="shadow")], hits=[])


def test_a_desk_without_cases_has_a_page(chief):
    page = chief.get(FIGURES).content.decode()

    assert "No case is open." in page
    assert page.count("Nothing to draw for the last 13 weeks: the numbers are in the table.") == 2
    assert "<svg viewBox" not in page


def test_the_page_draws_figures_and_has_them_as_tables(chief):
    fill(3)
    late, in_time = (timedelta(hours=hours) for hours in (-1, 1))
    CaseFactory(kind=Case.Kind.WITNESS, due_at=timezone.now() + late)
    CaseFactory(kind=Case.Kind.WITNESS, due_at=timezone.now() + in_time)

    response = chief.get(FIGURES)

    page = response.content.decode()
    tables = {name: table for name, table, *_ in response.context["sections"]}
    assert list(tables) == ["open", "held", "holds", "times", "weeks", "rules"]
    assert page.count("<table") == len(tables)
    for name in ("open", "holds"):
        assert f'aria-labelledby="picture-{name}"' in page
        assert f'<title id="picture-{name}">{tables[name].title}.' in page
    assert page.count("Nothing to draw") == 2  # no hit is decided, and all was in no time
    assert tables["open"].rows[-1][1:4] == (2, 1, 1)
    assert "onclick" not in page
    assert ' style="' not in page


def test_bars_are_as_long_as_their_numbers(chief):
    CaseFactory.create_batch(3, kind=Case.Kind.AUDIT)
    CaseFactory(kind=Case.Kind.DRIFT, due_at=timezone.now())

    page = chief.get(FIGURES).content.decode()

    assert '<rect class="out" x="1.0" y="20" width="308.5" height="14" />' in page
    assert '<rect class="in" x="1.0" y="64" width="101.8" height="14" />' in page


def test_the_oldest_open_case_is_linked_to(chief):
    oldest, _ = CaseFactory.create_batch(2)

    page = chief.get(FIGURES).content.decode()

    assert f'<a href="/admin/reviews/case/{oldest.pk}/change/">Unclassified transaction</a>' in page


def test_the_first_page_of_the_staff_leads_to_the_figures(chief, staff_with):
    assert f'href="{FIGURES}"' in chief.get("/admin/").content.decode()
    assert (
        FIGURES not in staff_with("organisations.view_organisation").get("/admin/").content.decode()
    )


def test_nobody_is_named_nor_ranked(chief, superuser):
    somebody = UserFactory(email="zoe@example.org", name="Zoe Quill", is_staff=True)
    close_case(case=CaseFactory(), closed_by=somebody, reason="Explained.")

    texts = [chief.get(FIGURES).content.decode()]
    texts += [str(saved(chief, "times")), str(saved(chief, "cases-decided"))]

    assert [word for word in ("zoe@", "Quill") for text in texts if word in text] == []


@pytest.mark.parametrize("path", [FIGURES, EXPORT])
def test_who_may_see_cases_may_see_figures(staff_with, path):
    assert staff_with("reviews.view_case").get(path).status_code == 200
    assert staff_with("reviews.view_hold").get(path).status_code == 403
    assert staff_with("reviews.view_case").post(path).status_code == 405


def test_the_number_of_queries_does_not_grow_with_the_rows(chief):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            chief.get(FIGURES)
        return len(queries)

    fill(1)
    chief.get(FIGURES)
    before = asked()
    fill(4)

    assert asked() == before


def test_a_table_is_saved_as_it_stands(chief):
    case = CaseFactory(due_at=timezone.now() + timedelta(hours=1))

    assert saved(chief, "open") == [
        ["Kind", "Open", "Overdue", "In time", "Oldest opened, UTC"],
        ["Unclassified transaction", "1", "0", "1", f"{case.opened_at:%Y-%m-%d %H:%M:%S}"],
    ]


def test_amounts_and_gaps_are_saved_without_words(chief):
    HoldFactory(amount=120_050)
    HoldFactory(amount=700, currency="JPY")
    weeks = saved(chief, "weeks")

    assert saved(chief, "held")[1:] == [
        ["EUR", "1", "1200.50", "0", "0.00"],
        ["JPY", "1", "700", "0", "0"],
    ]
    assert weeks[-1][1:] == ["0", "", ""]
    assert len(weeks) == 14


def test_cases_are_saved_open_or_decided_without_persons(chief, superuser, monkeypatch):
    monkeypatch.setattr(cases, "BATCH_SIZE", 2)
    organisation = OrganisationFactory(slug="lantern")
    theirs = [
        CaseFactory(
            organisation=organisation, summary="From ann@example.org", amount=5000, currency="EUR"
        )
        for _ in range(5)
    ]
    nobodys = CaseFactory(organisation=None, due_at=timezone.now())
    for case in theirs[:2]:
        decide(case=case, by=superuser, choice="close", reason="Ann explained it.")
    theirs[0].refresh_from_db()

    opened, decided = (saved(chief, f"cases-{state}") for state in ("open", "decided"))

    assert [row[0] for row in opened[1:]] == [case.pk for case in (*theirs[2:], nobodys)]
    assert [row[0] for row in decided[1:]] == [case.pk for case in theirs[:2]]
    moment = f"{theirs[0].opened_at:%Y-%m-%d %H:%M:%S}"
    closed = f"{theirs[0].closed_at:%Y-%m-%d %H:%M:%S}"
    kind = "Unclassified transaction"
    assert decided[1][1:] == [kind, "lantern", moment, "", closed, "close", "0.00", "5000", "EUR"]
    assert opened[-1][2] == ""
    assert "ann" not in str(opened + decided).lower()


def test_files_are_named_and_streamed(chief):
    response = chief.get(EXPORT, {"table": "rules"})

    assert response.streaming
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    day = timezone.now().strftime("%Y-%m-%d")
    assert response.headers["Content-Disposition"] == f'attachment; filename="rules-{day}.csv"'


def test_what_is_saved_is_in_the_trail(chief, superuser: User):
    saved(chief, "rules")

    [entry] = LogEntry.objects.all()
    assert (entry.user, entry.object_repr) == (superuser, "Hit rate per rule")
    trail = chief.get("/admin/admin/logentry/").content.decode()
    assert "saved as CSV" in trail


def test_a_table_that_is_not_there_is_not_found(chief):
    assert chief.get(EXPORT, {"table": "people"}).status_code == 404
    assert not LogEntry.objects.exists()
