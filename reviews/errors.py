"""What `reviews` refuses."""

from common.errors import DomainError


class CaseClosed(DomainError):
    """The case was closed before; nothing was changed."""

    code = "case_closed"


class ReasonMissing(DomainError):
    """Say why: closing a case needs a reason."""

    code = "reason_missing"
    status = 400
