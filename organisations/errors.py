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


class LastOwner(DomainError):
    """An organisation keeps an owner: make somebody else one first."""

    code = "last_owner"


class OwnersOnly(DomainError):
    """Only owners make owners, and change or remove them: ask one."""

    code = "owners_only"


class NotByOneself(DomainError):
    """Nobody changes their own role: ask another owner or admin."""

    code = "not_by_oneself"


class MayNotManage(DomainError):
    """Your role in this organisation does not manage members; nothing was changed."""

    code = "may_not_manage"


class NoMember(DomainError):
    """Somebody else ended this membership; nothing was changed."""

    code = "no_member"


class MemberAlready(DomainError):
    """Somebody with this e-mail address is a member already."""

    code = "member_already"


class InvitedAlready(DomainError):
    """The address has an open invitation: send that one again, or withdraw it first."""

    code = "invited_already"


class TooManyInvitations(DomainError):
    """So many invitations were sent that the next has to wait: try again later."""

    code = "too_many_invitations"


class InvitationUnknown(DomainError):
    """The link does not work: it is not whole, or another was sent after it."""

    code = "invitation_unknown"


class InvitationOver(DomainError):
    """The invitation was answered or withdrawn, or its sender may invite nobody any more."""

    code = "invitation_over"


class InvitationTooOld(DomainError):
    """The link in the mail worked for seven days: ask for another."""

    code = "invitation_too_old"


class InvitationForAnother(DomainError):
    """The invitation went to another e-mail address than the one you signed in with."""

    code = "invitation_for_another"


class NotADraft(DomainError):
    """The application was sent in; it can be changed again when staff give it back."""

    code = "not_a_draft"


class TooManyDrafts(DomainError):
    """You have several applications under way: send one in before you begin another."""

    code = "too_many_drafts"


class ApplicationIncomplete(DomainError):
    """Something is missing still; the list beside the button says what."""

    code = "application_incomplete"


class ApplicationLinkBroken(DomainError):
    """The link does not work: it is older than three days, or not whole."""

    code = "application_link_broken"
    status = 410


class DocumentRefused(DomainError):
    """The file cannot be taken."""

    code = "document_refused"
    status = 400


class AnotherStripeAccount(DomainError):
    """
    The ledger here belongs to another Stripe account: connect that one again.

    What the place `stripe` holds is that account's balance, for ever.
    """

    code = "another_stripe_account"


class NotOurMode(DomainError):
    """That Stripe account was connected in another mode (live or test) than this site runs in."""

    code = "not_our_mode"


class ConnectionRefused(DomainError):
    """The way back from Stripe cannot be followed."""

    code = "connection_refused"
    status = 400
