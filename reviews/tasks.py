"""Background work of which staff hear: logs, audits, applications, rules; and forgetting."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.conf import settings
from procrastinate.contrib.django import app

from common.errors import in_words
from ledger.audit import Report, audit_book, books
from ledger.audit_heads import audit_heads
from ledger.errors import KeyLocked, SealingHalted, TimestampRefused
from ledger.models import Book
from ledger.services.cosigning import Contradiction, collect_cosignatures
from ledger.services.cosigning_heads import collect_heads_cosignatures
from ledger.services.heads import seal_heads
from ledger.services.sealing import seal, unsealed
from ledger.services.timestamping import timestamp_heads
from ledger.witnessing import witness_policy
from organisations.models import Organisation
from reviews.models import Case, RuleVersion
from reviews.services.attempts import forget_attempts
from reviews.services.attesting import attest_last_days
from reviews.services.backtests import backtest
from reviews.services.cases import open_case
from reviews.services.checking import receive_waiting
from reviews.services.visitors import forget_visitors
from reviews.services.websites import look_at_websites

logger = logging.getLogger("almoner.reviews")


@app.periodic(cron="* * * * * */5")
@app.task(queueing_lock="seal_books")
def seal_books(timestamp: int) -> None:
    """Seal what has grown, and then the heads of it; what must not be sealed is a case."""
    for book in unsealed():
        _try_to_seal(book.organisation, book.book, partial(seal, book=book))
    _try_to_seal(None, "heads", seal_heads)


def _try_to_seal(organisation: Organisation | None, book: str, sealing: Callable[[], Any]) -> None:
    facts = {"organisation": organisation and organisation.pk, "book": book}
    try:
        sealing()
    except (SealingHalted, KeyLocked) as error:
        logger.error("sealing halted", extra={**facts, "reason": str(error)})
        open_case(
            organisation=organisation,
            kind=Case.Kind.SEALING,
            subject=f"{organisation.pk}/{book}" if organisation else book,
            summary=str(error),
            again=True,
        )
    except Exception as error:  # whatever it is, the other logs are sealed
        logger.error("sealing postponed", extra={**facts, "reason": in_words(error)})


@app.periodic(cron="23 * * * *")
@app.task(queueing_lock="timestamp_heads_hourly")
def timestamp_heads_hourly(timestamp: int) -> None:
    """Have the heads log time-stamped, where a time stamper is set; a failure is a case."""
    if not settings.LEDGER_TIMESTAMP_URL:
        return
    try:
        timestamp_heads()
    except Exception as error:  # whatever it is, staff hear of it
        reason = str(error) if isinstance(error, TimestampRefused) else in_words(error)
        logger.error("no time stamp", extra={"reason": reason})
        open_case(
            organisation=None,
            kind=Case.Kind.TIMESTAMP,
            subject="heads",
            summary=f"{reason}\nIt is tried again every hour; at once: manage.py timestamp_heads",
            again=True,
        )


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="cosign_books")
def cosign_books(timestamp: int) -> None:
    """Ask witnesses to cosign what was sealed; one that saw another log is a case for staff."""
    policy = witness_policy()
    books, heads = collect_cosignatures(policy=policy), collect_heads_cosignatures(policy=policy)
    for found in (*books, *heads):
        facts = {"organisation": found.organisation_id, "witness": found.witness.name}
        logger.error("a witness saw another log", extra={**facts, "reason": found.reason})
        open_case(
            organisation=Organisation.objects.filter(pk=found.organisation_id).first(),
            kind=Case.Kind.WITNESS,
            subject=f"{found.log} {found.witness.key.id.hex()}",
            summary=_contradiction_in_words(found),
            again=True,
        )


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="receive_waiting_applications")
def receive_waiting_applications(timestamp: int) -> None:
    """Open a case for every application that waits without one, from whatever time it is."""
    receive_waiting()


@app.periodic(cron="*/5 * * * *")
@app.task(queueing_lock="look_at_applicants_websites")
def look_at_applicants_websites(timestamp: int) -> None:
    """Ask applicants' websites whether they are there, where the operator wants that."""
    if settings.APPLICANTS_WEBSITES_ARE_ASKED:
        look_at_websites()


@app.periodic(cron="41 2 * * *")
@app.task(queueing_lock="audit_books_nightly")
def audit_books_nightly(timestamp: int) -> None:
    """Audit every book and the heads; what does not verify, or cannot be audited, is a case."""
    for organisation, slug, book in books():
        command = f"manage.py audit_ledger --organisation {slug} --book {book}"
        audit = partial(audit_book, organisation, slug, book)
        _try_to_audit(organisation, book, command, audit)
    _try_to_audit("", "heads", "manage.py audit_ledger", audit_heads)


def _try_to_audit(
    organisation: str, book: str, command: str, audit: Callable[[], Report | None]
) -> None:
    try:
        report = audit()
        finding = report.finding if report and report.verdict else ""
    except Exception as error:  # whatever it is, the other books are audited
        facts = {"organisation": organisation, "book": book, "reason": in_words(error)}
        logger.error("audit failed", extra=facts)
        finding = f"It cannot be audited: {in_words(error)}"
    if finding:
        # Also when one was closed: what was wrong with it still is.
        open_case(
            organisation=Organisation.objects.filter(pk=organisation).first(),
            kind=Case.Kind.AUDIT,
            subject=f"{organisation}/{book}" if organisation else book,
            summary=f"{finding}\nTo audit it again: {command}",
            again=True,
        )


@app.periodic(cron="12 0 * * *")
@app.task(queueing_lock="attest_reviews_daily")
def attest_reviews_daily(timestamp: int) -> None:
    """Have every public book say how much was screened and held on the days that are over."""
    today = datetime.fromtimestamp(timestamp, UTC).date()
    for book in Book.objects.public():
        try:
            attest_last_days(organisation=book.organisation, today=today)
        except Exception as error:  # whatever it is, the other books say theirs
            facts = {"organisation": book.organisation_id, "reason": in_words(error)}
            logger.error("reviews not attested", extra=facts)


@app.task
def backtest_version(version_id: int) -> None:
    """Test a version of a rule on the gifts of the last 90 days."""
    backtest(version=RuleVersion.objects.select_related("organisation").get(pk=version_id))


@app.periodic(cron="29 3 * * *")
@app.task(queueing_lock="forget_visitors_nightly")
def forget_visitors_nightly(timestamp: int) -> None:
    """Forget the visitors whom no rule looks back to any more."""
    forget_visitors()
    forget_attempts()


def _contradiction_in_words(found: Contradiction) -> str:
    return (
        f"The witness {found.witness.key.name} refuses the checkpoint of this log: {found.reason}\n"
        "Either this database is an older one, or entries that were signed before have changed "
        "here, or somebody else signs with the log's key. Restore the database that the witness "
        "has seen. Where the witness is wrong, its operator can show what it has: "
        "docs/witnesses.md, «When a witness says no»."
    )
