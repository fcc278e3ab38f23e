"""A book that was written under the first tables is kept, and guarded, under those of today."""

from collections.abc import Iterator

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from config import postgres
from config.postgres_home import APPLICATION
from ledger.audit import Verdict, audit_books
from tests.database import running_server
from tests.ledger.pen import Pen

RECORDED = "SELECT book, to_char(recorded_at AT TIME ZONE INTERVAL '0', 'SS') FROM ledger_book"


@pytest.fixture
def old_pen(django_db_setup, django_db_blocker) -> Iterator[Pen]:
    """A pen in a database whose ledger is that of the first migration; Django uses it too."""
    # pytest wants to load this module itself, after this one.
    from tests.database_fixtures import close_connections, drop_database, use_database

    server, usual = running_server(), connections["default"].settings_dict["NAME"]
    name = f"{usual}_old"
    postgres.make_database(server, name)
    use_database(server, name)
    try:
        with django_db_blocker.unblock():
            call_command("migrate", "organisations", verbosity=0)
            call_command("migrate", "ledger", "0001", verbosity=0)
            with psycopg.connect(server.url(APPLICATION, name), autocommit=True) as connection:
                yield Pen(connection)
    finally:
        close_connections()
        use_database(server, usual)
        drop_database(server, name)


def test_a_book_from_before_goes_on_under_the_guards_of_today(old_pen):
    private = old_pen.private()
    old_pen.write(old_pen.row(recorded_at="2026-11-21T12:00:08Z"))
    old_pen.open_book("empty")

    call_command("migrate", "ledger", verbosity=0)

    found = old_pen.execute(RECORDED).fetchall()
    assert dict(found) == {"public": "08", "credits": "05", "empty": None}
    earlier = old_pen.row(recorded_at="2026-11-21T12:00:07Z")
    assert old_pen.refused(earlier) == ("23514", "entry_is_recorded_in_order")
    old_pen.write(old_pen.row(recorded_at="2026-11-21T12:00:08Z"))
    private.write(private.row())
    assert old_pen.refused_statement("UPDATE ledger_book SET recorded_at = now()")[0] == "42501"
    reports = {report.book: report.verdict for report in audit_books()}
    assert (reports["public"], reports["credits"]) == (Verdict.VALID, Verdict.VALID)
