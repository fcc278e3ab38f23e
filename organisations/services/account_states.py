"""What Stripe says of the organisations' accounts: read, kept, and ended when its owner says so."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from common.errors import DomainError, in_words
from common.stripe_api import (
    StripeRefused,
    client,
    is_without_access,
    on_account,
    translated_errors,
)
from organisations.models import Organisation, StripeAccountState

logger = logging.getLogger("almoner.organisations")
FLAGS = ("charges_enabled", "payouts_enabled", "details_submitted")
LISTS = ("currently_due", "past_due", "eventually_due")
TOLD = ("disabled_reason", "capabilities", "statement_descriptor", "country", "read_at")
PAYOUTS = ("controls_payouts", "payout_interval", "bank_accounts", "bank_changed_at")
TEXT_MAX = 100


def read_state(*, organisation: Organisation) -> None:
    """
    Ask Stripe how an organisation's account stands, and keep that.

    Talks to Stripe and must not run within a transaction. An account that is closed to us counts
    as disconnected; one that was exchanged meanwhile is nobody's. Raises `TryAgainLater`,
    `StripeRefused`.
    """
    account, begun_at = str(organisation.stripe_account), timezone.now()
    try:
        with translated_errors(account):
            told = client().v1.accounts.retrieve_current(options=on_account(account))
    except StripeRefused as error:
        if is_without_access(error):
            note_refusal(organisation=organisation, account=account)
        raise
    _keep(organisation, account, told.to_dict(for_json=True), begun_at)


def read_states() -> None:
    """Ask for every account that Stripe lets us read; one that fails does not stop the others."""
    for organisation in Organisation.objects.readable().order_by("created_at"):
        try:
            read_state(organisation=organisation)
        except DomainError as error:
            facts = {"organisation": organisation.id, "reason": in_words(error)}
            logger.warning("account not read", extra=facts)


@transaction.atomic
def note_disconnection(*, organisation: Organisation, account: str, at: datetime) -> None:
    """Keep that an account's owner ended our access, unless it was connected again since."""
    state = _locked(organisation, account)
    if state and not state.disconnected_at and (not state.connected_at or at >= state.connected_at):
        state.disconnected_at = at
        state.save(update_fields=["disconnected_at"])


@transaction.atomic
def note_refusal(*, organisation: Organisation, account: str) -> None:
    """Keep that Stripe lets us read nothing of an account any more."""
    state = _locked(organisation, account)
    if state and not state.refused_at:
        state.refused_at = timezone.now()
        state.disconnected_at = state.disconnected_at or state.refused_at
        state.save(update_fields=["refused_at", "disconnected_at"])


@transaction.atomic
def note_connection(*, organisation: Organisation) -> None:
    """Keep that an account is connected from now on; what is known of it is read anew."""
    StripeAccountState.objects.update_or_create(
        organisation=organisation,
        defaults={
            "connected_at": timezone.now(),
            "disconnected_at": None,
            "refused_at": None,
            "read_at": None,
        },
    )


def is_disconnected(organisation: Organisation) -> bool:
    """Tell whether an account's owner ended our access."""
    states = StripeAccountState.objects.filter(organisation=organisation)
    return states.exclude(disconnected_at=None).exists()


@transaction.atomic
def _keep(
    organisation: Organisation, account: str, told: dict[str, Any], begun_at: datetime
) -> None:
    state = _locked(organisation, account)
    if state is None or (state.read_at and state.read_at > begun_at):
        return
    requirements = told.get("requirements") or {}
    for name in FLAGS:
        setattr(state, name, told.get(name) is True)
    for name in LISTS:
        setattr(state, name, [str(key)[:TEXT_MAX] for key in requirements.get(name) or []])
    state.disabled_reason = str(requirements.get("disabled_reason") or "")[:TEXT_MAX]
    state.capabilities = told.get("capabilities") or {}
    state.statement_descriptor = _descriptor(told)[:TEXT_MAX]
    state.country = str(told.get("country") or "")[:2]
    _learn_payouts(state, told, begun_at)
    state.read_at = begun_at
    state.save(update_fields=[*FLAGS, *LISTS, *TOLD, *PAYOUTS])


def _learn_payouts(state: StripeAccountState, told: dict[str, Any], begun_at: datetime) -> None:
    # https://docs.stripe.com/connect/manual-payouts: only who bears the losses may time payouts.
    if controller := told.get("controller"):
        state.controls_payouts = controller.get("losses") == {"payments": "application"}
    payouts = (told.get("settings") or {}).get("payouts") or {}
    state.payout_interval = str((payouts.get("schedule") or {}).get("interval") or "")[:20]
    banks = (told.get("external_accounts") or {}).get("data") or []
    now = sorted({str(bank["fingerprint"])[:TEXT_MAX] for bank in banks if bank.get("fingerprint")})
    # Where one is taken away before the next comes, there is none in between.
    if now:
        if state.bank_accounts and set(now) - set(state.bank_accounts):
            state.bank_changed_at = begun_at
        state.bank_accounts = now


def _descriptor(told: dict[str, Any]) -> str:
    # Our payments add no suffix: the account's own words stand there, its prefix where it has none.
    settings = told.get("settings") or {}
    payments, cards = (settings.get(part) or {} for part in ("payments", "card_payments"))
    words = payments.get("statement_descriptor") or cards.get("statement_descriptor_prefix")
    return str(words or "")


def _locked(organisation: Organisation, account: str) -> StripeAccountState | None:
    # Own rows first: what is told of an account that was exchanged is about nobody.
    current = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if current.stripe_account != account:
        return None
    StripeAccountState.objects.get_or_create(organisation=current)
    return StripeAccountState.objects.select_for_update().get(organisation=current)
