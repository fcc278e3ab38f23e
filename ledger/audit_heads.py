"""
The audit of the heads log: its leaves are what the public books have signed, all of it.

Its tree and its signature are audited like those of a book's log.
"""

from datetime import UTC, datetime, timedelta

from django.db import connection

from ledger import notes
from ledger.audit import Report, snapshot
from ledger.audit_log import LogAudit
from ledger.audit_rules import BookBroken, Verdict
from ledger.models import HeadsKey, HeadsLog, Log, Tile
from ledger.tiles import TileMissing

# What a book has signed is in the heads log within seconds.
PATIENCE = timedelta(minutes=10)
LEAVES = "SELECT count(*), coalesce(max(sequence) + 1, 0) FROM ledger_headsleaf"
GAP = """
    SELECT count(*) FROM ledger_headsleaf AS leaf WHERE sequence < (
        SELECT min(sequence) FROM (
            SELECT sequence, row_number() OVER (ORDER BY sequence) - 1 AS place
            FROM ledger_headsleaf
        ) AS leaves WHERE sequence <> place
    )
"""
DIFFERENT = """
    SELECT leaf.sequence, leaf.organisation_id, leaf.body, signed.note IS NOT NULL
    FROM ledger_headsleaf AS leaf LEFT JOIN ledger_checkpoint AS signed
        ON signed.organisation_id = leaf.organisation_id AND signed.book = 'public'
        AND signed.size = leaf.size
    WHERE leaf.body IS DISTINCT FROM ledger_body_v1(signed.note) ORDER BY leaf.sequence
"""
MISSING = """
    SELECT count(*), min(organisation.slug || ' at ' || signed.size)
    FROM ledger_checkpoint AS signed
    JOIN organisations_organisation AS organisation
        ON organisation.id = signed.organisation_id AND organisation.status = 'approved'
    WHERE signed.book = 'public' AND signed.sealed_at < %s AND NOT EXISTS (
        SELECT FROM ledger_headsleaf AS leaf
        WHERE leaf.organisation_id = signed.organisation_id AND leaf.size = signed.size
    )
"""


class HeadsReport(Report):
    """What was found in the heads log: `entries` are its leaves, `rows` what should be there."""

    @property
    def name(self) -> str:
        """Name the log."""
        return self.book

    @property
    def coverage(self) -> str:
        """Say in words what was compared."""
        compared = f"{self.entries:,} of {self.rows:,} checkpoints of public books"
        return compared if self.sealed is None else f"{compared}; log of {self.sealed:,}"


class HeadsAudit(LogAudit):
    """The heads log, as its leaves, the books' checkpoints and its own are."""

    def __init__(self) -> None:
        """Read what is kept outside the database."""
        super().__init__(HeadsLog())
        self.leaves = self.missing = 0

    def check_heads(self) -> int:
        """Return how many leaves are sealed. Raises `BookBroken`."""
        with connection.cursor() as cursor:
            cursor.execute(LEAVES)
            self.leaves, end = cursor.fetchone()
            cursor.execute(MISSING, [datetime.now(UTC) - PATIENCE])
            self.missing, example = cursor.fetchone()
            if end > self.leaves:
                cursor.execute(GAP)
                raise BookBroken("the leaf in its place is gone", *cursor.fetchone())
            keys = dict.fromkeys(HeadsKey.objects.values_list("vkey", flat=True), 0)
            sealed = self.check(self.leaves, keys)
            cursor.execute(DIFFERENT)
            for sequence, *leaf in cursor.fetchall():
                _check_restored(sequence, *leaf)
        if self.missing:
            reason = f"{self.missing:,} checkpoints of public books are missing, such as {example}"
            raise BookBroken(reason, verdict=Verdict.INCOMPLETE)
        return sealed


def _check_restored(sequence: int, organisation: str, body: str, is_stored: bool) -> None:
    # A leaf whose checkpoint the database has lost came back from a mirror; the book's tree still
    # says whether it is one that this book can have signed.
    if is_stored:
        raise BookBroken("the book has signed something else", sequence)
    log = Log(organisation_id=organisation, book="public")
    try:
        checkpoint = notes.parse_checkpoint(body)
        root = log.tiles().root(checkpoint.size)
    except (notes.NoteMalformed, TileMissing, Tile.DoesNotExist) as error:
        raise BookBroken("no book can have signed it", sequence) from error
    if (checkpoint.origin, checkpoint.root) != (log.origin, root):
        raise BookBroken("the book cannot have signed it", sequence)


def audit_heads() -> HeadsReport | None:
    """Audit the heads log, in one snapshot; None where there is nothing of it yet."""
    audit = HeadsAudit()
    sealed, broken = None, None
    with snapshot():
        try:
            sealed = audit.check_heads()
        except BookBroken as error:
            broken = error
    if not broken and not audit.leaves:
        return None
    return HeadsReport(
        organisation="",
        slug="",
        book="heads",
        verdict=broken.verdict if broken else Verdict.VALID,
        first_bad_sequence=broken.sequence if broken else None,
        reason=str(broken or ""),
        entries=audit.leaves,
        rows=audit.leaves + audit.missing,
        accounts=None,
        sealed=sealed,
    )
