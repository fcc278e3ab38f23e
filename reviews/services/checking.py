"""Checking applications: what is seen by itself is kept, and a case is opened for people."""

import logging
import time
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from common.errors import in_words
from organisations.models import Organisation
from reviews.models import Case, Screening
from reviews.rules.applications import CHECKS, Check
from reviews.rules.rule import Finding, Outcome, Verdict
from reviews.services.cases import open_case

logger = logging.getLogger("almoner.reviews")
SCORE_MAX = 100


@transaction.atomic
def receive_application(*, organisation: Organisation) -> Case:
    """
    Check what an organisation sent in, and put it before staff; a case that waits stays as it is.

    What was found is kept with the case's id: each time it is sent in has its own.
    """
    results = look_at(organisation)
    case = open_case(
        organisation=organisation,
        kind=Case.Kind.APPLICATION,
        subject=organisation.id,
        summary=_summary(organisation, results),
        again=True,
    )
    if not Screening.objects.filter(subject=case.id).exists():
        keep_results(case=case, organisation=organisation, results=results)
    return case


def look_at(organisation: Organisation) -> list[dict[str, Any]]:
    """Return what every check finds; one that fails is an error, and the others look."""
    return [_look(check, organisation) for check in CHECKS]


def keep_results(
    *, case: Case, organisation: Organisation, results: list[dict[str, Any]]
) -> Screening:
    """Write down what was found at an applicant, for its case."""
    hits = [result for result in results if result["outcome"] == Outcome.HIT]
    return Screening.objects.create(
        organisation=organisation,
        occasion=Screening.Occasion.APPLICATION,
        subject=case.id,
        verdict=Verdict.REVIEW if hits else Verdict.APPROVE,
        score=min(sum(result["score"] for result in hits), SCORE_MAX),
        results=results,
        hits=[result["rule"] for result in hits],
        duration_us=sum(result["duration_us"] for result in results),
    )


@transaction.atomic
def receive_waiting() -> None:
    """Put before staff whatever waits without a case."""
    cases = Case.objects.open().filter(kind=Case.Kind.APPLICATION, subject=OuterRef("pk"))
    waiting = Organisation.objects.filter(~Exists(cases), status=Organisation.Status.APPLIED)
    # Locked, for it may be decided at this very moment.
    for organisation in waiting.select_for_update(skip_locked=True):
        receive_application(organisation=organisation)


def as_kept(check: Check, finding: Finding, started: int) -> dict[str, Any]:
    """Return what a check found as a screening keeps it; it `started` at a `perf_counter_ns`."""
    return {
        "rule": check.name,
        "version": "shipped",
        "mode": "active",
        "outcome": finding.outcome,
        "verdict": finding.verdict,
        "score": finding.score,
        "evidence": dict(finding.evidence),
        "duration_us": (time.perf_counter_ns() - started) // 1000,
    }


def _summary(organisation: Organisation, results: list[dict[str, Any]]) -> str:
    hits = {result["rule"] for result in results if result["outcome"] == Outcome.HIT}
    found = [check.title.lower() for check in CHECKS if check.name in hits]
    lines = [f"{organisation.name} ({organisation.country}) applies.", organisation.summary]
    lines += [f"To look at: {', '.join(found)}."] if found else []
    return "\n".join(filter(None, lines))


def _look(check: Check, organisation: Organisation) -> dict[str, Any]:
    started = time.perf_counter_ns()
    try:
        with transaction.atomic():  # what fails in the database fails alone
            finding = check.look(organisation)
    except Exception as error:  # whatever it is, the others look, and staff can see it
        facts = {"check": check.name, "organisation": organisation.pk, "reason": in_words(error)}
        logger.error("a check failed", extra=facts)
        finding = Finding(Outcome.ERROR, evidence={"why": type(error).__name__})
    return as_kept(check, finding, started)
