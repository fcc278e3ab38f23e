"""Deciding cases: once a round, with a reason, by two people where much is at stake."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from ledger.services.retrying import retried
from organisations.models import User
from reviews.choices import choice_of, needs_two
from reviews.errors import CaseChanged, OwnCase, ReasonMissing, SecondPersonNeeded, UnknownChoice
from reviews.models import Case, Decision, Note
from reviews.services import applying, holds, payout_holds
from reviews.services.cases import add_note, check_is_of_others, lock_open
from reviews.signals import case_decided

OWN = "Nobody decides on their own"  # sql/decisions_v1.sql


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision: the case is decided, or waits for a second person."""

    case: Case
    decision: Decision

    @property
    def is_final(self) -> bool:
        """Tell whether the case is decided."""
        return self.decision.is_final


@retried
@transaction.atomic
def decide(
    *, case: Case, by: User, choice: str, reason: str, of_round: int | None = None
) -> Outcome:
    """
    Decide a case; where two people are needed, propose that, or confirm what another proposed.

    Two are needed where much money is moved or freed: what changes nothing takes one. Who decides
    otherwise than was proposed makes a proposal of their own. What the decision brings about is
    done by whoever receives `case_decided`, in this transaction. `of_round` is the round that the
    person saw. Raises `ReasonMissing`, `UnknownChoice`, `CaseClosed`, `CaseChanged`, `OwnCase`,
    `SecondPersonNeeded`, and what receivers raise.
    """
    if not reason.strip():
        raise ReasonMissing
    case = lock_open(case)
    if of_round is not None and of_round != case.round:
        raise CaseChanged
    chosen = choice_of(case, choice)
    if chosen is None:
        raise UnknownChoice
    check_is_of_others(case, by)
    decision = Decision(case=case, round=case.round, choice=choice, by=by, reason=reason.strip())
    if chosen.changes_nothing or not needs_two(case):
        return _conclude(case, decision)
    proposal = newest_proposal(case)
    if not (proposal and proposal.choice == choice):
        return _propose(case, decision)
    if proposal.by == by:
        raise SecondPersonNeeded
    decision.confirms = proposal
    return _conclude(case, decision)


def newest_proposal(case: Case) -> Decision | None:
    """Return what was proposed last in this round of a case, and is not confirmed."""
    proposed = Decision.objects.filter(case=case, round=case.round, is_final=False)
    return proposed.select_related("by").order_by("-id").first()


def _propose(case: Case, decision: Decision) -> Outcome:
    decision.is_final = False
    _keep(decision)
    add_note(case, Note.Kind.PROPOSED, decision.by, text=f"{decision.choice}: {decision.reason}")
    return Outcome(case, decision)


def _conclude(case: Case, decision: Decision) -> Outcome:
    decision.is_final = True
    _keep(decision)
    case.closed_at, case.closed_by = timezone.now(), decision.by
    case.choice, case.reason = decision.choice, decision.reason
    case.save(update_fields=["closed_at", "closed_by", "choice", "reason"])
    add_note(case, Note.Kind.DECIDED, decision.by, text=f"{decision.choice}: {decision.reason}")
    holds.carry_out(case=case, decision=decision)
    payout_holds.carry_out(case=case, decision=decision)
    applying.carry_out(case=case, decision=decision)
    case_decided.send(Case, case=case, decision=decision)
    return Outcome(case, decision)


def _keep(decision: Decision) -> None:
    try:
        with transaction.atomic():
            decision.save(force_insert=True)
    except IntegrityError as error:
        # Whose gift it is may have been learned after the case was opened.
        if OWN in str(error):
            raise OwnCase from error
        raise
