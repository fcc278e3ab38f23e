"""What the page of an application's case shows: the applicant, and what was looked at."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import LogEntry

from organisations.models import Document, Membership, Organisation, StripeAccountState
from organisations.requirement_words import in_words, why_disabled
from organisations.services.documents import opened
from organisations.services.mail import write
from reviews.models import Case, Screening
from reviews.panels import Panel
from reviews.rules.applications import CHECKS
from reviews.rules.rule import Outcome
from reviews.rules.websites import WEBSITE

EARLIER_MAX = 10
SEES_PAPERS, SEES_PEOPLE = "organisations.view_document", "organisations.view_user"
# Where the reason stands in a mail that nobody has written yet.
YOUR_WORDS = "[what you write as the reason]"
MAILS = {
    "Approve": "application_approved",
    "Ask for more": "application_question",
    "Reject": "application_rejected",
}
WORDS = {
    Outcome.PASS: "in order",
    Outcome.HIT: "look at this",
    Outcome.ERROR: "could not look",
    Outcome.NOT_RUN: "not checked",
}


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of the applicant, and who of the staff has opened it."""

    document: Document
    seen_by: list[LogEntry]


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of the checklist: what was looked for, what was found, and by which facts."""

    title: str
    sentence: str
    outcome: str
    words: str
    facts: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Written:
    """The mail that a decision sends."""

    label: str
    subject: str
    body: str


def panels(case: Case) -> Iterator[Panel]:
    """Yield what is known of an applicant."""
    organisation = case.organisation
    if organisation is None:
        return
    screenings = list(Screening.objects.filter(subject=case.id).order_by("at"))
    context = {
        "organisation": organisation,
        "checks": [checked for each in screenings for checked in _checks(each)],
        "checked_at": screenings[0].at if screenings else None,
        "earlier": _earlier(organisation),
        "rounds": _rounds(case),
        **_account(organisation),
    }
    yield Panel("The applicant", "reviews/panels/application.html", context)
    papers = {"papers": list(_papers(organisation))}
    yield Panel("The applicant’s documents", "reviews/panels/papers.html", papers, SEES_PAPERS)
    people = {
        "members": organisation.memberships.in_order(),
        # They address an owner by name.
        "mails": list(_mails(organisation)) if case.closed_at is None else [],
    }
    yield Panel("Who acts for the applicant", "reviews/panels/people.html", people, SEES_PEOPLE)


def _checks(screening: Screening) -> Iterator[Checked]:
    known = {check.name: check for check in (*CHECKS, WEBSITE)}
    for result in screening.results:
        check, outcome = known[result["rule"]], Outcome(result["outcome"])
        facts = [(name.replace("_", " "), str(value)) for name, value in result["evidence"].items()]
        yield Checked(check.title, check.words, outcome, WORDS[outcome], facts)


def _papers(organisation: Organisation) -> Iterator[Paper]:
    trail = LogEntry.objects.filter(
        content_type__app_label="organisations",
        content_type__model="organisation",
        object_id=organisation.id,
    ).select_related("user")
    entries = list(trail.order_by("action_time"))
    for document in organisation.documents.order_by("added_at"):
        seen = [each for each in entries if each.change_message == opened(document)]
        yield Paper(document, seen)


def _earlier(organisation: Organisation) -> list[Organisation]:
    owners = organisation.memberships.filter(role=Membership.Role.OWNER).values("user")
    theirs = Organisation.objects.filter(memberships__user__in=owners).exclude(pk=organisation.pk)
    return list(theirs.distinct().order_by("-created_at")[:EARLIER_MAX])


def _rounds(case: Case) -> list[Case]:
    same = Case.objects.filter(kind=case.kind, subject=case.subject).exclude(pk=case.pk)
    decided = same.filter(closed_at__isnull=False).select_related("closed_by")
    return list(decided.order_by("-closed_at")[:EARLIER_MAX])


def _mails(organisation: Organisation) -> Iterator[Written]:
    # A copy that is never saved: what the owners would read.
    shown = copy(organisation)
    shown.question = shown.decision_reason = YOUR_WORDS
    owner = organisation.memberships.in_order().first()
    facts = {"organisation": shown, "person": owner and owner.user}
    for label, template in MAILS.items():
        yield Written(label, *write(template, facts))


def _account(organisation: Organisation) -> Mapping[str, Any]:
    state = StripeAccountState.objects.filter(organisation=organisation).first()
    shown = state or StripeAccountState()
    return {
        "account": state,
        "due": in_words([*shown.past_due, *shown.currently_due]),
        "why_disabled": why_disabled(shown.disabled_reason),
    }
