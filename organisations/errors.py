"""What `organisations` refuses."""

from common.errors import DomainError


class SlugTaken(DomainError):
    """An organisation has this slug already; choose another."""

    code = "slug_taken"


class StripeAccountTaken(DomainError):
    """The Stripe account belongs to another organisation here."""

    code = "stripe_account_taken"


class AlreadyDecided(DomainError):
    """The application was decided before; nothing was changed."""

    code = "already_decided"


class ReasonMissing(DomainError):
    """Say why: a decision needs a reason."""

    code = "reason_missing"
    status = 400


class KeyRevoked(DomainError):
    """The key was revoked before; nothing was changed."""

    code = "key_revoked"


class EmailTaken(DomainError):
    """Somebody signs in with this e-mail address already."""

    code = "email_taken"
