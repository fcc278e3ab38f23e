"""Which rules are right: what each hit, and how people decided on those gifts."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from reviews.figures.tables import Table, first_week
from reviews.rules.register import RULES

# A version in the shadow hits without any weight, and is counted apart. Both halves of `hit` have
# an index of their own, and the first reads nothing else: what it counts stands in it. The text in
# the second is as the index has it.
HITS = """
WITH hit AS (
    SELECT unnest(hits) AS rule, false AS is_shadow, organisation_id, subject
    FROM reviews_screening WHERE at >= %(since)s AND NOT (hits = '{}')
    UNION ALL
    SELECT result ->> 'rule', true, organisation_id, subject
    FROM reviews_screening, jsonb_array_elements(results) AS result
    WHERE at >= %(since)s AND results @> '[{"mode": "shadow", "outcome": "hit"}]'
        AND result ->> 'mode' = 'shadow' AND result ->> 'outcome' = 'hit'
), decided AS (
    SELECT organisation_id, gift AS subject, bool_or(choice = 'refuse') AS is_confirmed
    FROM reviews_case
    WHERE closed_at >= %(since)s AND gift <> '' AND choice IN ('refuse', 'release', 'keep')
    GROUP BY organisation_id, gift
)
SELECT rule, is_shadow, count(*),
    count(DISTINCT (organisation_id, subject)) FILTER (WHERE is_confirmed),
    count(DISTINCT (organisation_id, subject)) FILTER (WHERE NOT is_confirmed)
FROM hit LEFT JOIN decided USING (organisation_id, subject)
GROUP BY rule, is_shadow
ORDER BY rule, is_shadow
"""
COLUMNS = ("Rule", "Hits", "Gifts decided", "Confirmed", "False", "Confirmed, %")


def hit_rates(now: datetime) -> Table:
    """Return what each rule hit in the last 13 weeks, and how many of those gifts were refused."""
    with connection.cursor() as cursor:
        cursor.execute(HITS, {"since": first_week(now)})
        rows = [_row(*row) for row in cursor.fetchall()]
    return Table("Hit rate per rule", COLUMNS, rows, drawn=(3, 4))


def _row(name: str, is_shadow: bool, hits: int, confirmed: int, false: int) -> tuple[Any, ...]:
    rule = RULES.get(name)
    title = rule.title if rule else name.replace("_", " ")
    decided = confirmed + false
    share = (Decimal(100 * confirmed) / decided).quantize(Decimal(1)) if decided else None
    shown = f"{title}, in the shadow" if is_shadow else title
    return shown, hits, decided, confirmed, false, share
