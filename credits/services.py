"""Everything that writes credits: what applications post, and what gifts grant."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction

from common.money import AMOUNT_MAX, CURRENCIES
from credits.errors import (
    AnotherRuleActive,
    InsufficientBalance,
    LimitReached,
    OwnerRefused,
    ReservedNonce,
    RuleRefused,
    UnknownApplication,
    WrongSign,
)
from credits.models import OWNER, CreditGrant, GrantRule, Owner
from donations.models import OWNER_ID_LENGTH_MAX
from ledger.errors import UnknownOperation
from ledger.models import Book, Entry
from ledger.operations import CREDIT, OWNERS, Application, registered
from ledger.services import Draft, append
from ledger.services.books import open_book
from ledger.services.retrying import retried
from organisations.models import Organisation, User

# What the product itself writes begins like this, so that nobody's nonce can be in its way.
GRANT = "almoner:grant:"
OURS = ("almoner:", "attestation:", "correction:")
GRANTED_BY = "CREDIT_ADD"
OWNERS_ONLY = (OWNERS,)
SUMS = re.compile(r"ledger_account_(debits|credits)_check")


class Posted(NamedTuple):
    """An operation as it stands in the book: what it changed, and the balance after it."""

    entry: Entry
    owner: Owner
    amount: int
    balance: int
    is_new: bool


def applications() -> list[Application]:
    """Return every application of credits that is installed."""
    return [registered[book] for book in sorted(registered) if registered[book].amounts]


def application_named(name: str) -> Application:
    """Return an application of credits. Raises `UnknownApplication`."""
    for application in applications():
        if application.book == name:
            return application
    raise UnknownApplication(f"No application of credits named {name!r} is installed here.")


@retried
@transaction.atomic
def post_operation(
    *,
    organisation: Organisation,
    application: Application,
    owner_id: str,
    operation: str,
    nonce: str,
    amount: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Posted:
    """
    Give an owner credits, or take them: once for each nonce.

    `amount` is signed as the operation is; left out, it is the application's default. The same
    again returns what is there, with the balance of then. Raises `UnknownOperation`, `WrongSign`,
    `OwnerRefused`, `ReservedNonce`, `DraftRefused`, `NonceConflict`, `InsufficientBalance`,
    `LimitReached`.
    """
    if nonce.startswith(OURS):
        raise ReservedNonce
    if not 1 <= len(owner_id) <= OWNER_ID_LENGTH_MAX:
        raise OwnerRefused
    amount = signed_amount(application, operation, amount)
    owner = Owner(organisation, application.book, owner_id)
    draft = _draft(
        application, owner.account, operation, amount, nonce=nonce, metadata=metadata or {}
    )
    book = _locked_book(organisation, application)
    is_new = not Entry.objects.of(organisation, book.book).filter(nonce=nonce).exists()
    [entry] = _append(book, [draft])
    return Posted(entry, owner, amount, owner.balance(sequence=entry.sequence), is_new)


def signed_amount(application: Application, operation: str, amount: int | None) -> int:
    """Return the amount of an operation. Raises `UnknownOperation`, `WrongSign`."""
    if operation not in application.amounts:
        raise UnknownOperation(
            f"{operation[:48]!r} is no operation of {application.book}: "
            f"use one of {', '.join(application.amounts)}."
        )
    default = application.amounts[operation]
    if amount is None:
        return default
    if _sign(amount) != _sign(default):
        rule = {1: "above zero", -1: "below zero", 0: "zero"}[_sign(default)]
        raise WrongSign(f"The amount of {operation} must be {rule}; left out, it is {default}.")
    return amount


def _sign(amount: int) -> int:
    return (amount > 0) - (amount < 0)


def _draft(
    application: Application,
    account: str,
    operation: str,
    amount: int,
    *,
    nonce: str,
    metadata: Mapping[str, Any],
) -> Draft:
    debit, credit = (
        names[0] if names != OWNERS_ONLY else account
        for names in application.flows_of(operation)[0]
    )
    return Draft(
        operation=application.operations(operation),
        amount=abs(amount),
        currency=CREDIT,
        debit=debit,
        credit=credit,
        nonce=nonce,
        metadata=metadata,
    )


def _locked_book(organisation: Organisation, application: Application) -> Book:
    books = Book.objects.filter(organisation=organisation, book=application.book)
    book = books.select_for_update().first()
    return book or open_book(organisation=organisation, name=application.book)


def _append(book: Book, drafts: Sequence[Draft]) -> list[Entry]:
    try:
        return append(book=book, drafts=drafts)
    except IntegrityError as error:
        constraint = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        if constraint == "account_is_not_overdrawn":
            raise InsufficientBalance from error
        if SUMS.fullmatch(constraint):
            raise LimitReached from error
        raise


@retried
@transaction.atomic
def write_grants(*, organisation: Organisation, application: str, limit: int) -> int:
    """
    Write grants of one book that wait, oldest first, at most `limit`; return how many.

    What another worker is writing is left to it. Raises `UnknownApplication`, `LimitReached`.
    """
    declared = application_named(application)
    rows = CreditGrant.objects.of(organisation).waiting().filter(application=application)
    grants = list(rows.select_for_update(skip_locked=True).order_by("created_at")[:limit])
    if not grants:
        return 0
    drafts = [_grant_draft(declared, grant) for grant in grants]
    entries = _append(_locked_book(organisation, declared), drafts)
    for grant, entry in zip(grants, entries, strict=True):
        grant.sequence = entry.sequence
    CreditGrant.objects.of(organisation).bulk_update(grants, ["sequence"])
    return len(grants)


def _grant_draft(application: Application, grant: CreditGrant) -> Draft:
    return _draft(
        application,
        f"{OWNER}{grant.owner_id}",
        GRANTED_BY,
        grant.amount,
        nonce=f"{GRANT}{grant.donation}",
        metadata={"donation": grant.donation},
    )


@transaction.atomic
def set_grant_rule(
    *,
    organisation: Organisation,
    application: str,
    currency: str,
    minor_units_per_credit: int,
    is_active: bool,
    changed_by: User | None,
) -> GrantRule:
    """
    Set how many credits an application grants for gifts that settle from now on.

    `changed_by` is None when the operator does it. Raises `UnknownApplication`, `RuleRefused`,
    `AnotherRuleActive`.
    """
    application_named(application)
    if currency not in CURRENCIES or not 1 <= minor_units_per_credit <= AMOUNT_MAX:
        raise RuleRefused
    Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    others = GrantRule.objects.of(organisation).filter(currency=currency, is_active=True)
    if is_active and others.exclude(application=application).exists():
        raise AnotherRuleActive
    rule, _ = GrantRule.objects.update_or_create(
        organisation=organisation,
        application=application,
        currency=currency,
        defaults={
            "minor_units_per_credit": minor_units_per_credit,
            "is_active": is_active,
            "changed_by": changed_by,
        },
    )
    return rule
