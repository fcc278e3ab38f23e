"""How accounts stand: disputes and warnings of a month's gifts, and where payouts go."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from donations.models import Donation
from ledger.models import Account as LedgerAccount
from organisations.models import Membership, Organisation, StripeAccountState
from organisations.services.mail import mail_members
from reviews.models import Case, PayoutHold, Screening
from reviews.rules.accounts import TROUBLED_GIFTS
from reviews.rules.facts import Account
from reviews.rules.rule import Outcome, Verdict
from reviews.services.cases import open_case, say_more
from reviews.services.payout_holds import hold_payouts
from reviews.services.screening import Screened, screen_account
from reviews.services.wording import why_in_words
from treasury.models import BalanceTransaction, Dispute
from treasury.services.legs import STRIPE

WINDOW = timedelta(days=30)
WHOSE_PAYOUTS = "Its payouts are its own: only Stripe or the organisation can stop them."
THEY_WAIT = "Its payouts wait until this is decided."
# Of these more than was decided about is news.
COUNTED = ("disputed", "warned", "others_paid_there")
# A case is opened with the look that led to it, a moment later.
LED_TO_IT = timedelta(minutes=1)
Grounds = dict[str, tuple[str, int]]
WHO_HEARS = (Membership.Role.OWNER, Membership.Role.FINANCE)


@transaction.atomic
def look_at_account(*, organisation: Organisation) -> Screened:
    """
    Let the rules of accounts look at one; what they find is a case, once for what is new.

    Where a finding says so, and the platform times the account's payouts, they wait for it.
    """
    screened = screen_account(_standing(organisation, timezone.now()))
    newest = _newest_case(organisation)
    if screened.verdict == Verdict.REVIEW and _is_to_decide(newest, screened.kept):
        ours = _state(organisation).controls_payouts
        case = _open(organisation, screened, THEY_WAIT if ours else WHOSE_PAYOUTS)
        if screened.holds and ours:
            hold_payouts(case=case)
    return screened


def tell_members(*, hold: PayoutHold) -> None:
    """Tell whom it concerns that an organisation's payouts wait, or go on."""
    template = "payouts_go_on" if hold.released_at else "payouts_wait"
    context = {"support": settings.SUPPORT_EMAIL}
    mail_members(
        organisation=hold.organisation, roles=WHO_HEARS, template=template, context=context
    )


def _open(organisation: Organisation, screened: Screened, whose: str) -> Case:
    own = LedgerAccount.objects.of(organisation).named(STRIPE, organisation.currency)
    place: Any = own.money().first()
    amount = place.amount if place and place.amount > 0 else None
    return open_case(
        organisation=organisation,
        kind=Case.Kind.ACCOUNT,
        subject=organisation.pk,
        summary=f"{why_in_words(screened.kept)} {whose if screened.holds else ''}".strip(),
        amount=amount,
        currency=organisation.currency if amount else "",
        again=True,
        # Payouts that go on free whatever comes until then.
        people_needed=2,
    )


def _newest_case(organisation: Organisation) -> Case | None:
    cases = Case.objects.filter(kind=Case.Kind.ACCOUNT, subject=organisation.pk)
    return cases.order_by(F("closed_at").desc(nulls_first=True)).first()


def _is_to_decide(newest: Case | None, look: Screening) -> bool:
    """
    Tell whether a look has found what nobody decided about; where a case waits, it is told in it.

    What was found until the last decision is known, however it came out in between.
    """
    if newest is None:
        return True
    known = _known_with(newest, look)
    is_more = any(ground > known.get(rule, ()) for rule, ground in _grounds([look]).items())
    if newest.closed_at is None and is_more:
        say_more(case=newest, text=why_in_words(look))
    return newest.closed_at is None or is_more


def _known_with(case: Case, look: Screening) -> Grounds:
    """Return what was found by the looks that led to a case, until it was decided."""
    own = Screening.objects.filter(
        organisation=case.organisation,
        occasion=Screening.Occasion.ACCOUNT,
        subject=case.subject,
        at__gt=case.opened_at - LED_TO_IT,
    ).exclude(pk=look.pk)
    known = _grounds(own.filter(at__lte=case.closed_at) if case.closed_at else own)
    if case.closed_at and case.closed_at < look.at - WINDOW:
        known.pop(TROUBLED_GIFTS.name, None)  # it was about the gifts of another month
    return known


def _grounds(looks: Iterable[Screening]) -> Grounds:
    """Return how bad is the worst that every rule found: when it came about, or how often."""
    worst: Grounds = {}
    for row in (row for look in looks for row in look.results):
        if row["outcome"] == Outcome.HIT and row["mode"] == "active":
            evidence = row["evidence"]
            counted = sum(evidence.get(name, 0) for name in COUNTED)
            ground = (str(evidence.get("changed_at", "")), counted)
            worst[row["rule"]] = max(worst.get(row["rule"], ground), ground)
    return worst


def _standing(organisation: Organisation, now: datetime) -> Account:
    settled = Donation.objects.of(organisation).filter(settled_at__gt=now - WINDOW)
    charges = BalanceTransaction.objects.of(organisation).filter(
        reporting_category="charge", donation__in=settled.values("id")
    )
    disputed = Dispute.objects.filter(
        organisation=organisation, charge__in=charges.values("charge")
    )
    disputed_charges = set(disputed.values_list("charge", flat=True))
    disputed_gifts = charges.filter(charge__in=disputed_charges).values("donation")
    warned = Case.objects.filter(organisation=organisation, kind=Case.Kind.FRAUD_WARNING)
    state = _state(organisation)
    return Account(
        organisation=organisation,
        settled=settled.count(),
        disputed=len(disputed_charges),
        warned=warned.filter(gift__in=settled.values("id"))
        .exclude(gift__in=disputed_gifts)
        .values("gift")
        .distinct()
        .count(),
        bank_changed_at=state.bank_changed_at,
        bank_shared_with=_others_paid_there(state),
        at=now,
    )


def _state(organisation: Organisation) -> StripeAccountState:
    known = StripeAccountState.objects.filter(organisation=organisation).first()
    return known or StripeAccountState(organisation=organisation)


def _others_paid_there(state: StripeAccountState) -> int | None:
    """Count who else is paid where an account is; None where Stripe does not tell where that is."""
    if not state.bank_accounts:
        return None
    same = Q()
    for bank in state.bank_accounts:
        same |= Q(bank_accounts__contains=[bank])
    others = StripeAccountState.objects.exclude(organisation=state.organisation_id)
    return others.filter(same).count()
