"""Background work on every book, of which staff hear when it fails: sealing, and the audit."""

import logging

from procrastinate.contrib.django import app

from common.errors import in_words
from ledger.audit import audit_book, books
from ledger.errors import KeyLocked, SealingHalted
from ledger.services.sealing import seal, unsealed
from organisations.models import Organisation
from reviews.models import Case
from reviews.services import open_case

logger = logging.getLogger("almoner.reviews")


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="seal_books")
def seal_books(timestamp: int) -> None:
    """Seal what has grown; a log that must not be sealed is a case for staff."""
    for book in unsealed():
        facts = {"organisation": book.organisation_id, "book": book.book}
        try:
            seal(book=book)
        except (SealingHalted, KeyLocked) as error:
            logger.error("sealing halted", extra={**facts, "reason": str(error)})
            open_case(
                organisation=book.organisation,
                kind=Case.Kind.SEALING,
                subject=str(book),
                summary=str(error),
                again=True,
            )
        except Exception as error:  # whatever it is, the other books are sealed
            logger.error("sealing postponed", extra={**facts, "reason": in_words(error)})


@app.periodic(cron="41 2 * * *")
@app.task(queueing_lock="audit_books_nightly")
def audit_books_nightly(timestamp: int) -> None:
    """Audit every book; one that does not verify, or cannot be audited, is a case for staff."""
    for organisation, slug, book in books():
        try:
            report = audit_book(organisation, slug, book)
        except Exception as error:  # whatever it is, the other books are audited
            facts = {"organisation": organisation, "book": book, "reason": in_words(error)}
            logger.error("audit failed", extra=facts)
            put_before_staff(organisation, slug, book, f"It cannot be audited: {in_words(error)}")
        else:
            if report.verdict:
                put_before_staff(organisation, slug, book, report.finding)


def put_before_staff(organisation: str, slug: str, book: str, finding: str) -> None:
    """Open a case for a book, also when one was closed: what was wrong with it still is."""
    command = f"manage.py audit_ledger --organisation {slug} --book {book}"
    open_case(
        organisation=Organisation.objects.filter(pk=organisation).first(),
        kind=Case.Kind.AUDIT,
        subject=f"{organisation}/{book}",
        summary=f"{finding}\nTo audit it again: {command}",
        again=True,
    )
