"""What a decision on an application brings about, in the decision's own transaction."""

from organisations.models import User
from organisations.services import applications, tenants
from reviews.errors import ReviewersOnly
from reviews.models import Case, Decision

MAY_DECIDE = "organisations.review_organisation"


def carry_out(*, case: Case, decision: Decision) -> None:
    """
    Do with an applicant as was decided; a case of another kind is left to others.

    Raises `ReviewersOnly`, and `AlreadyDecided` where the application does not wait any more.
    """
    if case.kind != Case.Kind.APPLICATION:
        return
    _check_may_decide(decision.by)
    organisation, reason = case.organisation, decision.reason
    assert organisation is not None
    if decision.choice == "approve":
        tenants.approve(organisation=organisation, decided_by=decision.by, reason=reason)
    elif decision.choice == "reject":
        tenants.reject(organisation=organisation, decided_by=decision.by, reason=reason)
    else:
        applications.ask_for_more(organisation=organisation, question=reason)


def take_back(*, case: Case, by: User) -> None:
    """
    Let a rejected applicant wait for a decision again, before its case is opened again.

    Raises `ReviewersOnly`, and `AlreadyDecided` where it was not rejected.
    """
    if case.kind != Case.Kind.APPLICATION:
        return
    _check_may_decide(by)
    assert case.organisation is not None
    tenants.reconsider(organisation=case.organisation)


def _check_may_decide(person: User) -> None:
    if not person.has_perm(MAY_DECIDE):
        raise ReviewersOnly
