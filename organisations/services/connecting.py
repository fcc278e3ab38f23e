"""Connecting Stripe accounts: a new one that Stripe sets up, or one that is there, by OAuth."""

import json
import logging
import secrets
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from common.errors import DomainError, in_words
from common.stripe_api import client, translated_errors
from organisations.errors import (
    AnotherStripeAccount,
    ConnectionRefused,
    NotOurMode,
    StripeAccountTaken,
)
from organisations.models import ConnectAttempt, Organisation, StripeAccountState
from organisations.services.account_states import is_disconnected, note_connection

if TYPE_CHECKING:
    from stripe.params import AccountCreateParams

logger = logging.getLogger("almoner.organisations")
STATE_BYTES = 32
ATTEMPT_LASTS = timedelta(minutes=30)
FORGOTTEN_AFTER = timedelta(days=1)


def open_account(*, organisation: Organisation) -> str:
    """
    Return where Stripe asks what it wants to know; an account is made when there is none.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater`,
    `StripeRefused`, `AnotherStripeAccount`.
    """
    if is_disconnected(organisation):
        raise AnotherStripeAccount("The account is there already: connect it again.")
    account = organisation.stripe_account or _create_account(organisation)
    with translated_errors(account):
        link = client().v1.account_links.create(
            {
                "account": account,
                "type": "account_onboarding",
                "refresh_url": _url("stripe-refresh", organisation.slug),
                "return_url": _url("stripe-back", organisation.slug),
            }
        )
    return link.url


@transaction.atomic
def begin_connecting(*, organisation: Organisation, session_key: str) -> str:
    """Return where a member connects an account that is there, and comes back from once."""
    now, state = timezone.now(), secrets.token_urlsafe(STATE_BYTES)
    ConnectAttempt.objects.filter(
        organisation=organisation, created_at__lt=now - FORGOTTEN_AFTER
    ).delete()
    ConnectAttempt.objects.create(
        state_hash=_hash(state), organisation=organisation, session_hash=_hash(session_key)
    )
    return client().oauth.authorize_url(
        {"scope": "read_write", "state": state, "redirect_uri": _url("stripe-return")}
    )


@transaction.atomic
def end_attempt(*, state: str, session_key: str) -> Organisation:
    """
    Return whose way to Stripe ends here, once.

    Raises `ConnectionRefused` for one that is nobody's, another browser's, too old or used.
    """
    attempts = ConnectAttempt.objects.select_for_update().filter(state_hash=_hash(state))
    attempt = attempts.select_related("organisation").first()
    if attempt is None or attempt.session_hash != _hash(session_key):
        raise ConnectionRefused(
            "This way back from Stripe does not belong to what you began in this browser. Nothing"
            " was connected."
        )
    if attempt.used_at:
        raise ConnectionRefused("This way back from Stripe was used before. It works once.")
    if timezone.now() - attempt.created_at > ATTEMPT_LASTS:
        raise ConnectionRefused("You were away for more than half an hour. Begin again.")
    attempt.used_at = timezone.now()
    attempt.save(update_fields=["used_at"])
    return attempt.organisation


def connect_account(*, organisation: Organisation, code: str) -> Organisation:
    """
    Connect the account that a code of OAuth stands for; no token of it is kept.

    Talks to Stripe and must not run within a transaction. Raises `TryAgainLater`,
    `StripeRefused`, `NotOurMode`, `StripeAccountTaken`, `AnotherStripeAccount`.
    """
    with translated_errors(account=""):
        token = client().oauth.token({"grant_type": "authorization_code", "code": code})
    account = str(token.stripe_user_id)
    if bool(token.livemode) != settings.STRIPE_LIVEMODE:
        _give_back(account)
        raise NotOurMode
    return attach_account(organisation=organisation, account=account)


def attach_account(*, organisation: Organisation, account: str) -> Organisation:
    """
    Let an account be an organisation's; only a draft may exchange one for another.

    An account that is refused or replaced is given back: we keep no access to it. Talks to Stripe
    and must not run within a transaction. Raises `StripeAccountTaken`, `AnotherStripeAccount`.
    """
    try:
        former = _attach(organisation, account)
    except DomainError:
        _give_back(account)
        raise
    if former:
        _give_back(former)
    return Organisation.objects.get(pk=organisation.pk)


@transaction.atomic
def _attach(organisation: Organisation, account: str) -> str | None:
    organisation = Organisation.objects.select_for_update().get(pk=organisation.pk)
    is_draft, former = organisation.status == Organisation.Status.DRAFT, organisation.stripe_account
    if former not in (None, account) and not is_draft:
        raise AnotherStripeAccount
    organisation.stripe_account = account
    try:
        with transaction.atomic():
            organisation.save(update_fields=["stripe_account"])
    except IntegrityError as error:
        raise StripeAccountTaken from error
    if former != account:
        # What Stripe said of the one before is nothing that this one may do.
        StripeAccountState.objects.filter(organisation=organisation).delete()
    note_connection(organisation=organisation)
    return former


def _give_back(account: str) -> None:
    # An account that an organisation here has stays connected, whoever else asked for it.
    if Organisation.objects.filter(stripe_account=account).exists():
        return
    try:
        with translated_errors(account):
            client().oauth.deauthorize({"stripe_user_id": account})
    except DomainError as error:
        facts = {"account": account, "reason": in_words(error)}
        logger.warning("account not given back", extra=facts)


def _create_account(organisation: Organisation) -> str:
    params: AccountCreateParams = {
        "country": organisation.country,
        "default_currency": organisation.currency.lower(),
        "business_type": "non_profit",
        "business_profile": {"name": organisation.name},
        "metadata": {"organisation_id": organisation.id},
        "controller": {
            "fees": {"payer": "account"},
            "losses": {"payments": "stripe"},
            "requirement_collection": "stripe",
            "stripe_dashboard": {"type": "full"},
        },
    }
    # Two clicks make one account; who corrects the country between them, another.
    content = sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()[:16]
    with translated_errors(account=""):
        key = f"almoner:{organisation.id}:account:{content}"
        account = client().v1.accounts.create(params, {"idempotency_key": key})
    attach_account(organisation=organisation, account=account.id)
    return account.id


def _url(name: str, *args: str) -> str:
    return f"{settings.BASE_URL}{reverse(name, args=args)}"


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
