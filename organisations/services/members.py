"""Who takes part in an organisation."""

from organisations.models import Membership, Organisation, User


def add_member(*, organisation: Organisation, user: User, role: str) -> Membership:
    """Give a person a part in an organisation; one who has a part gets this one instead."""
    membership, _ = Membership.objects.update_or_create(
        organisation=organisation, user=user, defaults={"role": role}
    )
    return membership


def change_password(*, user: User, password: str) -> None:
    """Let a person sign in with another password, and end the sessions of the old one."""
    user.set_password(password)
    user.save(update_fields=["password"])
