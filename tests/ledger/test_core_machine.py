"""The core against a model in memory (tests/ledger/memory.py): after every step they agree."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from ledger import line, operations
from ledger.models import PUBLIC, Account, Book, Entry
from ledger.operations import Application, BaseLedgerOperation, MoneyOperation
from ledger.services import Draft, append
from ledger.services.books import open_book
from ledger.services.corrections import correct_entry
from tests.factories import ApplicantFactory
from tests.ledger.memory import Content, Memory, Refused
from tests.ledger.writers import at_once

POINTS = "points"
BOOKS = (POINTS, PUBLIC)
MOMENT = datetime(2020, 2, 29, tzinfo=UTC)


class PointOperation(BaseLedgerOperation):
    DAILY_REWARD = "DAILY_REWARD"
    SIGNUP_CREDIT = "SIGNUP_CREDIT"
    CREDIT_SPEND = "CREDIT_SPEND"
    CREDIT_ADD = "CREDIT_ADD"


AMOUNTS = {"DAILY_REWARD": 1, "SIGNUP_CREDIT": 3, "CREDIT_SPEND": -1, "CREDIT_ADD": 10}
OPERATIONS = {PUBLIC: MoneyOperation, POINTS: PointOperation}
FLOWS = {
    PUBLIC: [
        ("DONATION_RECEIVED", "EUR", "stripe", "fund:general"),
        ("PROCESSING_FEE", "EUR", "fund:general", "stripe"),
        ("DONATION_RECEIVED", "JPY", "stripe", "fund:winter"),
        ("PAYOUT_SENT", "EUR", "in_transit", "stripe"),
    ],
    POINTS: [
        ("CREDIT_ADD", "CREDIT", "issued", "owner:ann"),
        ("CREDIT_SPEND", "CREDIT", "owner:ann", "issued"),
        ("SIGNUP_CREDIT", "CREDIT", "issued", "owner:bob"),
        ("CREDIT_SPEND", "CREDIT", "owner:bob", "issued"),
    ],
}
OTHERWISE = [
    {"amount": 99},
    {"metadata": {"a": 1}},
    {"metadata": {"b": {"c": "d"}}},
    {"occurred_at": MOMENT.replace(year=2024)},
]


def content(book: str, number: int, changes: Content) -> Content:
    """Return what nonce `number` says, or something else under the same nonce."""
    operation, currency, debit, credit = FLOWS[book][number % 4]
    return {
        "operation": operation,
        "amount": number * 7 % 12,
        "currency": currency,
        "debit": debit,
        "credit": credit,
        "nonce": f"n{number}",
        "metadata": {"a": True} if number % 3 == 0 else {},
        "occurred_at": MOMENT if number % 5 == 0 else None,
        **changes,
    }


World = dict[str, Memory]
Books = dict[str, Book]


@dataclass
class Append:
    """Drafts for one book, in one batch."""

    book: str
    drafts: list[Content]

    def happens(self, books: Books) -> list[int]:
        known = OPERATIONS[self.book]
        drafts = [
            Draft(**draft | {"operation": known[draft["operation"]]}) for draft in self.drafts
        ]
        return [entry.sequence for entry in append(book=books[self.book], drafts=drafts)]

    def is_thought(self, world: World) -> list[int]:
        return world[self.book].append(self.drafts)


@dataclass
class Correct:
    """Take back an entry."""

    book: str
    place: int
    reason: str

    def happens(self, books: Books) -> list[int]:
        rows = Entry.objects.of(books[self.book].organisation, self.book)
        entry = correct_entry(entry=rows.get(sequence=self.place), reason=self.reason)
        return [entry.sequence]

    def is_thought(self, world: World) -> list[int]:
        return world[self.book].correct(self.place, self.reason)


@dataclass
class Transaction:
    """
    Several actions in one transaction, or one savepoint; undone in the end, or not.

    It locks the heads first, as work on several books does: what is undone at a savepoint would
    give up the lock that was taken there.
    """

    actions: "list[Action]"
    is_undone: bool

    def happens(self, books: Books) -> list[Any]:
        try:
            with transaction.atomic():
                for name in BOOKS:
                    Book.objects.select_for_update().get(pk=books[name].pk)
                answers = [attempted(action, books) for action in self.actions]
                if self.is_undone:
                    raise Undone
        except Undone:
            return ["undone"]
        return answers

    def is_thought(self, world: World) -> list[Any]:
        trial = deepcopy(world)
        answers = [imagined(action, trial) for action in self.actions]
        if self.is_undone:
            return ["undone"]
        world |= trial
        return answers


class Undone(Exception):
    """A transaction is given up by who began it."""


Action = Append | Correct | Transaction


def attempted(action: Action, books: Books) -> Any:
    """Do it; return what it answers, or the name of what refuses it."""
    try:
        return action.happens(books)
    except Exception as error:
        return type(error).__name__


def imagined(action: Action, world: World) -> Any:
    """Do it in memory, where a refusal leaves no trace either."""
    trial = deepcopy(world)
    try:
        answer = action.is_thought(trial)
    except Refused as refusal:
        return str(refusal)
    world |= trial
    return answer


SEEDS = [2, 4, 6, 8, 10, 14, 16, 18]
NUMBERS = st.integers(0, 80)
CHANGES = st.sampled_from([{}] * 16 + OTHERWISE)
NAMES = st.sampled_from(BOOKS)
REASONS = st.sampled_from(["Booked twice.", "Mistyped."])


def appends(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Append]:
    return st.builds(
        lambda book, drafts: Append(book, [content(book, *draft) for draft in drafts]),
        NAMES,
        st.lists(st.tuples(numbers, CHANGES), min_size=1, max_size=5),
    )


APPENDS = appends(NUMBERS)
CORRECTIONS = st.builds(Correct, NAMES, st.sampled_from(range(len(SEEDS), -1, -1)), REASONS)
SINGLE = APPENDS | CORRECTIONS
SAVEPOINTS = st.builds(Transaction, st.lists(SINGLE, min_size=1, max_size=2), st.booleans())
TRANSACTIONS = st.builds(
    Transaction, st.lists(SINGLE | SAVEPOINTS, min_size=1, max_size=3), st.booleans()
)


class Core(RuleBasedStateMachine):
    """Does the same to the database and to the model."""

    @initialize()
    def begin(self) -> None:
        self.organisation = ApplicantFactory()
        self.books = {name: open_book(organisation=self.organisation, name=name) for name in BOOKS}
        self.world = {name: Memory() for name in BOOKS}
        for name, entries in self.stored(Entry).items():
            self.world[name].append([said(entry) for entry in entries])
            self.do(Append(name, [content(name, number, {}) for number in SEEDS]))

    @rule(action=APPENDS)
    def write(self, action: Append) -> None:
        self.do(action)

    @rule(action=APPENDS)
    def write_twice(self, action: Append) -> None:
        self.do(action)
        self.do(action)

    @rule(action=TRANSACTIONS)
    def write_and_perhaps_undo(self, action: Transaction) -> None:
        self.do(action)

    @rule(action=CORRECTIONS)
    def correct(self, action: Correct) -> None:
        self.do(action)

    @rule(book=NAMES, reason=REASONS)
    def correct_the_last(self, book: str, reason: str) -> None:
        self.do(Correct(book, len(self.world[book].entries) - 1, reason))

    @rule(actions=st.lists(appends(st.integers(19, 24)), min_size=2, max_size=4))
    def write_the_same_at_once(self, actions: list[Action]) -> None:
        self.do_at_once(actions)

    @rule(actions=st.lists(SINGLE | TRANSACTIONS, min_size=2, max_size=3))
    def write_at_once(self, actions: list[Action]) -> None:
        self.do_at_once(actions)

    def do_at_once(self, actions: list[Action]) -> None:
        answers = at_once(*[partial(attempted, action, self.books) for action in actions])
        for order in permutations(range(len(actions))):
            world = deepcopy(self.world)
            imagination = {each: imagined(actions[each], world) for each in order}
            if [imagination[each] for each in range(len(actions))] == answers:
                break
        else:
            pytest.fail(f"in no order do {actions} give {answers}")
        self.world = world

    def do(self, action: Action) -> None:
        assert attempted(action, self.books) == imagined(action, self.world)

    def stored(self, model: Any) -> dict[str, list[Any]]:
        """Return the organisation's rows of each book, in their order."""
        rows = model.objects.filter(organisation=self.organisation).order_by("pk")
        return {name: [row for row in rows if row.book == name] for name in BOOKS}

    @invariant()
    def they_agree(self) -> None:
        entries, accounts, heads = map(self.stored, (Entry, Account, Book))
        for name, memory in self.world.items():
            for entry, thought in zip(entries[name], memory.entries, strict=True):
                assert said(entry, thought) == thought
            assert {entry.nonce: entry.sequence for entry in entries[name]} == memory.nonces
            sums = {(row.currency, row.name): [row.debits, row.credits] for row in accounts[name]}
            assert sums == memory.sums
            check_chain(entries[name], *heads[name])


def said(entry: Entry, thought: Content | None = None) -> Content:
    """Return what an entry says, as its draft said it: some left the moment out."""
    names = content(PUBLIC, 0, {})
    stored = {name: getattr(entry, name) for name in names}
    if thought and thought["occurred_at"] is None:
        assert entry.occurred_at == entry.recorded_at
        stored["occurred_at"] = None
    return stored


def check_chain(entries: Sequence[Entry], book: Book) -> None:
    """Verify the chain from the bytes alone, that the columns say the same, and the head."""
    head_hash, recorded_at = None, None
    for sequence, entry in enumerate(entries):
        fields = line.parse(entry.line.encode())
        assert entry.entry_hash == line.hash_of(entry.line)
        assert entry.prev_entry_hash == fields["prev_entry_hash"] == head_hash
        assert entry.sequence == fields["sequence"] == sequence
        assert recorded_at is None or recorded_at <= entry.recorded_at
        for name in fields.keys() - {"version"}:
            value = getattr(entry, name)
            assert fields[name] == (line.format_time(value) if name in TIMES else value)
        head_hash, recorded_at = entry.entry_hash, entry.recorded_at
    assert (book.size, book.head_hash, book.recorded_at) == (len(entries), head_hash, recorded_at)


TIMES = ("occurred_at", "recorded_at")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("any_flow")
def test_the_core_does_what_the_model_does(monkeypatch):
    points = Application(book=POINTS, operations=PointOperation, amounts=AMOUNTS)
    monkeypatch.setitem(operations.registered, POINTS, points)

    run_state_machine_as_test(
        Core,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
