"""What `reviews` refuses."""

from common.errors import DomainError


class CaseClosed(DomainError):
    """The case was closed before; nothing was changed."""

    code = "case_closed"


class ReasonMissing(DomainError):
    """Say why: a decision needs a reason."""

    code = "reason_missing"
    status = 400


class CaseChanged(DomainError):
    """More was found since you opened this case. Look at it again before you decide."""

    code = "case_changed"


class UnknownChoice(DomainError):
    """A case of this kind cannot be decided so. Choose one of the ways that the case offers."""

    code = "unknown_choice"
    status = 400


class OwnCase(DomainError):
    """Nobody decides on their own organisation or gift. Leave this case to somebody else."""

    code = "own_case"
    status = 403


class ReviewersOnly(DomainError):
    """Only who may review organisations decides on applications. Leave this case to one of them."""

    code = "reviewers_only"
    status = 403


class SecondPersonNeeded(DomainError):
    """You proposed this yourself: somebody else has to confirm it."""

    code = "second_person_needed"


class CaseStillOpen(DomainError):
    """The case is open; there is nothing to open again."""

    code = "case_still_open"


class CaseSettled(DomainError):
    """What was decided here has moved money, and is not taken back."""

    code = "case_settled"


class NotStaff(DomainError):
    """Cases are handed over to active members of the staff who may decide them."""

    code = "not_staff"
    status = 400


class SnoozedIntoThePast(DomainError):
    """Choose a moment in the future, at most 30 days from now."""

    code = "snoozed_into_the_past"
    status = 400


class SnoozedPastLapse(DomainError):
    """The bank would let the card go before anybody looks again. Choose an earlier moment."""

    code = "snoozed_past_lapse"
    status = 400


class HoldNotOpen(DomainError):
    """The gift is not held, or was decided before."""

    code = "hold_not_open"


class RuleUnknown(DomainError):
    """No rule has this name."""

    code = "rule_unknown"
    status = 400


class ParametersUnusable(DomainError):
    """The rule takes other parameters."""

    code = "parameters_unusable"
    status = 400


class RuleVersionClosed(DomainError):
    """The version is in force or was withdrawn before; nothing was changed."""

    code = "rule_version_closed"


class NotBacktested(DomainError):
    """Have it tested on the gifts of the last 90 days first."""

    code = "not_backtested"


class ProposedMeanwhile(DomainError):
    """Somebody else proposed a version at the same moment. Read theirs, then propose yours."""

    code = "proposed_meanwhile"
