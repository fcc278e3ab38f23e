"""What `credits` refuses."""

from common.errors import DomainError


class UnknownApplication(DomainError):
    """No application of credits has this name."""

    code = "unknown_application"
    status = 400


class OwnerRefused(DomainError):
    """An owner's id has 1 to 128 characters."""

    code = "owner_refused"
    status = 400


class WrongSign(DomainError):
    """The amount has another sign than its operation."""

    code = "wrong_sign"
    status = 400


class ReservedNonce(DomainError):
    """Nonces that begin with `almoner:`, `attestation:` or `correction:` are ours."""

    code = "reserved_nonce"
    status = 400


class InsufficientBalance(DomainError):
    """The owner has fewer credits than this takes; nothing was written."""

    code = "insufficient_balance"


class LimitReached(DomainError):
    """The book cannot count that far: an account's sums end at 2^53 - 1; nothing was written."""

    code = "limit_reached"


class AnotherRuleActive(DomainError):
    """Gifts in this currency grant credits of another application: switch that rule off first."""

    code = "another_rule_active"


class RuleRefused(DomainError):
    """The rule needs a currency of ISO 4217, and 1 or more of its smallest units for one credit."""

    code = "rule_refused"
    status = 400
