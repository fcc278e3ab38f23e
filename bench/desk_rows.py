"""
A program of its own: fills the desk of staff with cases, each with ten screenings, and signs in.

    python -m bench.desk_rows 1000

It works in the database of its environment, once; it prints the cookie of somebody who may decide
and the path of a case. The rows go in by statements of thousands, past the services: one by one
they would take hours.
"""

import json
import sys
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from bench.books import open_book  # noqa: E402
from bench.cluster import tidy_up  # noqa: E402
from organisations.models import Organisation, User  # noqa: E402
from reviews.models import Case, Screening  # noqa: E402
from reviews.rules.facts import Gift  # noqa: E402
from reviews.services.screening import screen  # noqa: E402

ORGANISATIONS = 10
TABLES = ("reviews_case", "reviews_note", "reviews_screening")
# Half is decided, the older half; of what is open, one in eight is put off, and each third is the
# reviewer's own, somebody else's, or nobody's. One in three is large: two people move its money.
CASES = """
INSERT INTO reviews_case (id, organisation_id, kind, subject, summary, gift, amount, currency,
    opened_at, due_at, assigned_to_id, snoozed_until, closed_at, closed_by_id, choice, reason)
SELECT 'case_' || number, (%(organisations)s::text[])[1 + n %% %(spread)s],
    (ARRAY['gift', 'gift', 'dispute', 'fraud_warning', 'unclassified'])[1 + n %% 5],
    'don_' || number, 'Money that somebody should look at.', 'don_' || number,
    1000 + (n * 7919) %% 150000, 'EUR', at, at + interval '3 days',
    CASE n %% 3 WHEN 0 THEN %(reviewer)s WHEN 1 THEN %(other)s END,
    CASE WHEN is_open AND n %% 8 = 0 THEN timestamptz '2099-01-01' END,
    CASE WHEN NOT is_open THEN at + interval '1 day' END,
    CASE WHEN NOT is_open THEN %(other)s END,
    CASE WHEN is_open THEN '' ELSE 'keep' END, CASE WHEN is_open THEN '' ELSE 'Looked at it.' END
FROM (
    SELECT n, lpad(n::text, 26, '0') AS number, n > %(cases)s / 2 AS is_open,
        now() - interval '90 days' * (%(cases)s - n) / %(cases)s AS at
    FROM generate_series(1, %(cases)s) AS n
) AS numbered
"""
NOTES = """
INSERT INTO reviews_note (case_id, kind, by_id, text, at)
SELECT id, 'comment', %(other)s, 'The donor was asked.', opened_at FROM reviews_case
"""
SCREENINGS = """
INSERT INTO reviews_screening
    (id, organisation_id, occasion, subject, verdict, score, results, hits, duration_us, at)
SELECT 'scr_' || right(about.id, 24) || '_' || nth, about.organisation_id, 'settlement', about.gift,
    CASE WHEN nth = 1 THEN 'review' ELSE 'approve' END, 40, %(results)s::jsonb,
    CASE WHEN nth = 1 THEN ARRAY['first_gift'] ELSE ARRAY[]::text[] END, 900, about.opened_at
FROM reviews_case AS about, generate_series(1, 10) AS nth
"""


def fill(cases: int) -> None:
    """Put so many cases on the desk, with what was found and said about each."""
    organisations = [open_book().organisation for _ in range(ORGANISATIONS)]
    people = User.objects
    numbers: dict[str, Any] = {
        "cases": cases,
        "spread": ORGANISATIONS,
        "organisations": [organisation.pk for organisation in organisations],
        "reviewer": people.create_superuser("reviewer@bench.example", "").pk,
        "other": people.create_superuser("other@bench.example", "").pk,
        "results": json.dumps(found(organisations[0])),
    }
    with connection.cursor() as cursor:
        for statement in (CASES, NOTES, SCREENINGS):
            cursor.execute(statement, numbers)


def found(organisation: Organisation) -> list[object]:
    """Return what all rules find at a gift, as a screening keeps it."""
    gift = Gift(
        id="don_0", organisation=organisation, amount=5000, currency="EUR", at=timezone.now()
    )
    return list(screen(occasion=Screening.Occasion.SETTLEMENT, gift=gift).kept.results)


def main(cases: int) -> None:
    """Fill the desk unless it is filled; print how to open its pages."""
    call_command("migrate", verbosity=0)
    if not Case.objects.exists():
        with transaction.atomic():
            fill(cases)
        tidy_up(TABLES)
    case = Case.objects.open().latest("id")
    browser = Client()
    browser.force_login(User.objects.get(email="reviewer@bench.example"))
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    print(
        json.dumps({"cookie": cookie, "case": reverse("admin:reviews_case_change", args=[case.pk])})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
