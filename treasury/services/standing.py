"""How accounts stand: disputes and warnings of a month's gifts, and where payouts go."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from donations.models import Donation
from ledger.models import Account as LedgerAccount
from organisations.models import Membership, Organisation, StripeAccountState
from organisations.services.mail import mail_members
from reviews.models import Case, PayoutHold, Screening
from reviews.rules.accounts import named_in
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
# A case is opened with the look that led to it, a moment later.
LED_TO_IT = timedelta(minutes=1)
Grounds = dict[str, set[str]]
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
    is_more = any(found - known.get(rule, set()) for rule, found in _grounds([look]).items())
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
    return _grounds(own.filter(at__lte=case.closed_at) if case.closed_at else own)


def _grounds(looks: Iterable[Screening]) -> Grounds:
    """Return what every rule found, by name: as many others are something else."""
    found: Grounds = {}
    for row in (row for look in looks for row in look.results):
        if row["outcome"] == Outcome.HIT and row["mode"] == "active":
            found.setdefault(row["rule"], set()).update(named_in(row["evidence"]))
    return found


def _standing(organisation: Organisation, now: datetime) -> Account:
    settled = Donation.objects.of(organisation).filter(settled_at__gt=now - WINDOW)
    charges = BalanceTransaction.objects.of(organisation).filter(
        reporting_category="charge", donation__in=settled.values("id")
    )
    disputes = Dispute.objects.filter(organisation=organisation).order_by("-opened_at", "-id")
    paid = charges.filter(charge__in=disputes.values("charge"))
    gift_of = dict(paid.values_list("charge", "donation"))
    of_these = disputes.filter(charge__in=gift_of).values_list("charge", flat=True)
    disputed = _once(gift_of[charge] for charge in of_these)
    warned = Case.objects.filter(organisation=organisation, kind=Case.Kind.FRAUD_WARNING)
    warned = warned.filter(gift__in=settled.values("id")).exclude(gift__in=disputed)
    state = _state(organisation)
    return Account(
        organisation=organisation,
        settled=settled.count(),
        disputed=disputed,
        warned=_once(warned.order_by("-opened_at", "-id").values_list("gift", flat=True)),
        bank_changed_at=state.bank_changed_at,
        bank_shared_with=_others_paid_there(state),
        at=now,
    )


def _once(gifts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(gifts))


def _state(organisation: Organisation) -> StripeAccountState:
    known = StripeAccountState.objects.filter(organisation=organisation).first()
    return known or StripeAccountState(organisation=organisation)


def _others_paid_there(state: StripeAccountState) -> list[str] | None:
    """
    Return who else is paid where an account is, the newest first.

    None where Stripe does not tell where that is.
    """
    if not state.bank_accounts:
        return None
    same = Q()
    for bank in state.bank_accounts:
        same |= Q(bank_accounts__contains=[bank])
    others = StripeAccountState.objects.exclude(organisation=state.organisation_id)
    since = Coalesce("bank_changed_at", "connected_at", "organisation__created_at")
    newest = others.filter(same).order_by(since.desc(), "-organisation")
    return list(newest.values_list("organisation", flat=True))
