"""What `treasury` does when reviews hold money or free it: payouts follow, members hear of it."""

from typing import Any

from django.dispatch import receiver

from reviews.models import Hold, PayoutHold
from reviews.signals import hold_changed, payouts_changed
from treasury.services.paying_out import look_again
from treasury.services.standing import tell_members


@receiver(payouts_changed)
def follow_payouts(hold: PayoutHold, **_kwargs: Any) -> None:
    """Have payouts stopped or let go on, and write to those who answer for the money."""
    look_again(hold.organisation)
    tell_members(hold=hold)


@receiver(hold_changed)
def follow_gift(hold: Hold, **_kwargs: Any) -> None:
    """Have payouts leave what is held of a gift, or take it along again."""
    if hold.kind == Hold.Kind.LEDGER:
        look_again(hold.organisation)
