"""
Operations and the applications that declare them: what may happen in a book, and to which accounts.

An application is an enum of operations, one book, and for each operation the accounts that it may
move between. It is registered once, when Django starts; what is wrong with it is said then.
How to add one: docs/applications.md.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from django.core.exceptions import ImproperlyConfigured

from common.money import AMOUNT_MAX
from ledger.errors import DraftRefused, UnknownOperation

BOOK = re.compile(r"[a-z][a-z0-9_]{0,31}\Z")
OPERATION = re.compile(r"[A-Z][A-Z0-9_]{0,47}\Z")
PATTERN = re.compile(r"[a-z][a-z_]*(:([a-z0-9-]+|\*))?\Z")
# What every application of credits has, and whether it gives (1) or takes (-1).
SHARED = {"DAILY_REWARD": 1, "SIGNUP_CREDIT": 1, "CREDIT_SPEND": -1, "CREDIT_ADD": 1}
OWNERS = "owner:*"
CREDIT = "CREDIT"


class BaseLedgerOperation(StrEnum):
    """
    The base of each application's operations: `NAME = "NAME"`.

    A subclass that lacks one of the shared operations (`SHARED`), has a name twice, or a value
    that is not its name, raises `TypeError` where it is defined. A book of another kind declares
    what it requires instead: `class MoneyOperation(BaseLedgerOperation, required=())`.
    """

    required: ClassVar[Collection[str]]

    def __init_subclass__(
        cls, *, required: Collection[str] = tuple(SHARED), **options: Any
    ) -> None:
        """Refuse an enum that is not what the ledger needs."""
        super().__init_subclass__(**options)
        cls.required = required
        if problems := "; ".join(_problems_of(cls)):
            raise TypeError(f"{cls.__name__} cannot be an enum of operations: {problems}.")


def _problems_of(operations: type[BaseLedgerOperation]) -> Iterator[str]:
    members = operations.__members__
    if missing := [name for name in operations.required if name not in members]:
        yield f"it lacks {', '.join(missing)}"
    for name, member in members.items():
        if member.name != name:
            yield f"{name} is {member.name} once more"
        elif member.value != name or not OPERATION.match(name):
            yield f'{name} is not written {name} = "{name}" in capitals'


class BookOperation(BaseLedgerOperation, required=()):
    """What the ledger itself writes; no application declares it for another use."""

    GENESIS = "GENESIS"
    CORRECTION = "CORRECTION"
    KEY_ROTATION = "KEY_ROTATION"
    BALANCE_ATTESTATION = "BALANCE_ATTESTATION"


class MoneyOperation(BaseLedgerOperation, required=tuple(BookOperation)):
    """What can happen to money in an organisation's public book."""

    GENESIS = "GENESIS"
    DONATION_RECEIVED = "DONATION_RECEIVED"
    PROCESSING_FEE = "PROCESSING_FEE"
    DONATION_REFUNDED = "DONATION_REFUNDED"
    REFUND_FAILED = "REFUND_FAILED"
    DISPUTE_OPENED = "DISPUTE_OPENED"
    DISPUTE_FEE = "DISPUTE_FEE"
    DISPUTE_WON = "DISPUTE_WON"
    DONATION_HELD = "DONATION_HELD"
    HOLD_RELEASED = "HOLD_RELEASED"
    PAYOUT_SENT = "PAYOUT_SENT"
    PAYOUT_ARRIVED = "PAYOUT_ARRIVED"
    PAYOUT_RETURNED = "PAYOUT_RETURNED"
    PROVIDER_FEE = "PROVIDER_FEE"
    OFFLINE_DONATION = "OFFLINE_DONATION"
    SPENT = "SPENT"
    FUND_TRANSFER = "FUND_TRANSFER"
    RESERVE_TRANSFER = "RESERVE_TRANSFER"
    EXTERNAL_ACTIVITY = "EXTERNAL_ACTIVITY"
    UNCLASSIFIED = "UNCLASSIFIED"
    CORRECTION = "CORRECTION"
    ERASURE = "ERASURE"
    KEY_ROTATION = "KEY_ROTATION"
    BALANCE_ATTESTATION = "BALANCE_ATTESTATION"
    REVIEW_ATTESTATION = "REVIEW_ATTESTATION"


class Flow(NamedTuple):
    """
    Where an operation may move money: to one of the `debit` accounts, from one of the `credit`.

    An account is a name (`stripe`), a pattern for what stands behind a colon (`fund:*`), or any
    account (`*`).
    """

    debit: tuple[str, ...]
    credit: tuple[str, ...]

    def allows(self, debit: str, credit: str) -> bool:
        """Tell whether an entry may stand on these accounts."""
        return _matches(debit, self.debit) and _matches(credit, self.credit)

    @property
    def reverse(self) -> "Flow":
        """The same, backwards."""
        return Flow(self.credit, self.debit)

    def __str__(self) -> str:
        """Say it in a sentence's words."""
        return f"debits {' or '.join(self.debit)} and credits {' or '.join(self.credit)}"


def _matches(account: str, patterns: tuple[str, ...]) -> bool:
    kind, _, name = account.partition(":")
    if name:
        return any(pattern in patterns for pattern in ("*", f"{kind}:*", account))
    return account in patterns or "*" in patterns


@dataclass(frozen=True, kw_only=True)
class Application:
    """
    Something that keeps a book: `operations`, and the `flows` that each of them may take.

    An application of credits declares `amounts`: what each operation gives to an owner (or takes,
    below zero; or neither, 0) when the caller does not say how much; the sign binds the caller
    too. Its operations move credits between `issued` and `owner:*` unless `flows` say otherwise.
    """

    book: str
    operations: type[BaseLedgerOperation]
    amounts: Mapping[str, int] = field(default_factory=dict)
    flows: Mapping[str, tuple[Flow, ...]] = field(default_factory=dict)

    def check(self, operation: str, debit: str, credit: str) -> None:
        """Raise `UnknownOperation`, or `DraftRefused` for accounts that it may not move."""
        flows = self.flows_of(operation)
        if not any(flow.allows(debit, credit) for flow in flows):
            allowed = "; or ".join(map(str, flows))
            raise DraftRefused(
                f"{operation} cannot debit {_shown(debit)} and credit {_shown(credit)}: "
                f"it {allowed}."
            )

    def flows_of(self, operation: str) -> tuple[Flow, ...]:
        """Return the ways an operation may take. Raises `UnknownOperation`."""
        if flows := self.flows.get(operation) or BOOK_FLOWS.get(operation):
            return flows
        if operation in self.amounts:
            return (ISSUE if self.amounts[operation] >= 0 else ISSUE.reverse,)
        raise UnknownOperation(f"The book {self.book} knows no operation {str(operation)[:48]!r}.")

    def problems(self) -> Iterator[str]:
        """Say all that is wrong with the declaration."""
        if not BOOK.match(self.book):
            yield f"{self.book!r} is no name for a book: a-z, 0-9 and _, at most 32"
        yield from self._problems_of_flows()
        if self.amounts or self.operations.required == tuple(SHARED):
            yield from self._problems_of_amounts()

    def _problems_of_flows(self) -> Iterator[str]:
        configured = {*self.flows, *self.amounts}
        for operation in self.operations:
            if operation not in configured and operation not in BOOK_FLOWS:
                yield f"{operation} has neither an amount nor flows"
        for name in sorted(configured - set(self.operations)):
            yield f"{name} is configured and is no operation of {self.operations.__name__}"
        for name in sorted(configured & BOOK_FLOWS.keys()):
            yield f"{name} is the ledger's own"
        yield from self._problems_of_accounts()

    def _problems_of_accounts(self) -> Iterator[str]:
        for name, flows in self.flows.items():
            if not flows or not all(side for flow in flows for side in flow):
                yield f"{name} lacks accounts that it may debit or credit"
            for pattern in (each for flow in flows for side in flow for each in side):
                if not PATTERN.match(pattern):
                    yield f"{name}: {pattern!r} is neither an account nor a pattern"

    def _problems_of_amounts(self) -> Iterator[str]:
        for operation in self.operations:
            amount = self.amounts.get(operation)
            if type(amount) is not int or abs(amount) > AMOUNT_MAX:
                yield f"{operation} needs a whole number as its amount"
                continue
            if amount * SHARED.get(operation, amount) < 0 or (operation in SHARED and not amount):
                yield f"{operation} must be {'above' if SHARED[operation] > 0 else 'below'} zero"
            if not all(_fits(flow, amount) for flow in self.flows_of(operation)):
                yield f"{operation} must {'debit' if amount < 0 else 'credit'} {OWNERS} alone"


def _fits(flow: Flow, amount: int) -> bool:
    owner, other = flow if amount < 0 else flow.reverse
    return owner == (OWNERS,) and len(other) == 1 and "*" not in other[0]


def _shown(account: str) -> str:
    # Who owns credits is nobody's business: refusals are logged.
    return OWNERS if account.startswith("owner:") else repr(account[:80])


def register(application: Application) -> None:
    """
    Make an application known, from its app's `ready()`.

    Raises `ImproperlyConfigured` with everything that is wrong with it, so that Almoner does not
    start.
    """
    problems = list(application.problems())
    if registered.get(application.book, application) != application:
        problems.append("another application keeps this book")
    if problems:
        raise ImproperlyConfigured(f"The application {application.book}: {'; '.join(problems)}.")
    registered[application.book] = application


def application_of(book: str) -> Application:
    """Return the application that keeps a book. Raises `UnknownOperation`."""
    if book not in registered:
        raise UnknownOperation(f"No application keeps a book {book!r}.")
    return registered[book]


NOTE = Flow(("genesis",), ("genesis:end",))
ISSUE = Flow(("issued",), (OWNERS,))
BOOK_FLOWS: Mapping[str, tuple[Flow, ...]] = {
    BookOperation.GENESIS: (NOTE,),
    # Mirrors any entry; the database compares the two.
    BookOperation.CORRECTION: (Flow(("*",), ("*",)),),
    BookOperation.KEY_ROTATION: (NOTE,),
    BookOperation.BALANCE_ATTESTATION: (NOTE,),
}
registered: dict[str, Application] = {}
