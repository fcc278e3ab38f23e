"""What `donations` does when a lower app speaks: it opens funds, and follows reviews."""

from typing import Any

from django.dispatch import receiver

from donations.models import GENERAL, Donation, RefundRequest
from donations.services.capturing import end_trouble
from donations.services.funds import create_fund
from donations.services.gifts import lock_gifts, save_facts
from donations.services.refunds import STAFF, Wish, take_down
from donations.services.screening import name_of
from organisations.models import Organisation
from organisations.signals import organisation_approved
from reviews.models import Case, Decision, Hold
from reviews.models.holds import UNDER_WAY
from reviews.services.sanctions import clear_pair, shown_parties
from reviews.signals import case_decided, hold_changed


@receiver(organisation_approved)
def open_general_fund(organisation: Organisation, **_kwargs: Any) -> None:
    """Open the fund that fees and gifts without a purpose go to, last in every list."""
    create_fund(
        organisation=organisation,
        slug=GENERAL,
        name="General",
        summary="Where it is needed most",
        position=100,
    )


@receiver(hold_changed)
def show_hold(hold: Hold, **_kwargs: Any) -> None:
    """Let a gift's status say that it is held, or is no more."""
    donation = lock_gifts(hold.organisation, [hold.gift])[hold.gift]
    donation.held_as = hold.kind if hold.status in UNDER_WAY else ""
    save_facts(donation, "held_as")
    if hold.ended_at:
        end_trouble(hold)


@receiver(case_decided)
def remember_cleared(case: Case, decision: Decision, **_kwargs: Any) -> None:
    """Remember that a donor is none of the parties that staff were shown: the gift counts."""
    # Whoever keeps a gift that its bank warned of has not looked at who gave it.
    if case.kind != Case.Kind.GIFT or decision.choice not in ("release", "keep"):
        return
    donation = Donation.objects.filter(organisation=case.organisation, id=case.gift).first()
    if donation is None:
        return
    for source, uid in shown_parties(donation.organisation, donation.id):
        clear_pair(
            name=name_of(donation), source=source, uid=uid, by=decision.by, reason=decision.reason
        )


@receiver(case_decided)
def give_back(case: Case, decision: Decision, **_kwargs: Any) -> None:
    """Take down the refund of a gift that staff refuse; an authorised card is canceled instead."""
    if decision.choice != "refuse" or not case.organisation:
        return
    hold = Hold.objects.filter(case=case).first()
    if hold and (hold.kind == Hold.Kind.CAPTURE or hold.ended_at):
        return
    reason = RefundRequest.Reason.NOT_ACCEPTED
    if case.kind == Case.Kind.FRAUD_WARNING:
        reason = RefundRequest.Reason.FRAUDULENT
    take_down(
        organisation=case.organisation,
        donation_id=case.gift,
        wish=Wish(
            amount=None,
            reason=reason,
            key=f"{STAFF}:{case.id}:{case.round}",
        ),
    )
