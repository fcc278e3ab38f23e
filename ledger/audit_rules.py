"""
The rules of a book, as the audit applies them row by row. Pure.

Of the rows no more is kept than the sums of their accounts. Verdicts, and which sequence is named,
are those of `verifier/`.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any

from ledger import attested, line, rotation
from ledger.models import PUBLIC

Head = tuple[int, str | None]

PARTS = sorted(line.KEYS - {"version"})
METADATA, PREVIOUS = PARTS.index("metadata"), PARTS.index("prev_entry_hash")
MOMENTS = PARTS.index("occurred_at"), PARTS.index("recorded_at")
RULED = {"GENESIS", attested.OPERATION, rotation.OPERATION}
GENESIS = ("GENESIS", "XXX", "genesis", "genesis:end", "genesis")
ENTRY_ID = re.compile(r"led_[0-7][0-9a-hjkmnp-tv-z]{25}\Z")
OPERATION = re.compile(r"[A-Z][A-Z0-9_]{0,47}\Z")
CURRENCY = re.compile(r"[A-Z]{3}\Z")
SLUG = r"[a-z0-9]+(-[a-z0-9]+)*\Z"
PLACE = re.compile(rf"stripe\Z|in_transit\Z|(bank|reserve|onchain):{SLUG}")
PURPOSE = re.compile(rf"held\Z|external\Z|unclassified\Z|fund:{SLUG}")
NONCE_LENGTH_MAX = 255
ACCOUNT_LENGTH_MAX = 160
# What needs no escape in a line; and a moment as PostgreSQL writes it.
PLAIN = re.compile(r"[ !#-\[\]-~]{1,255}\Z")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\Z")
AMOUNT = re.compile(r"(0|[1-9][0-9]{0,14})\Z")


class Verdict(IntEnum):
    """What an audit found; the number is the exit code of the command."""

    VALID = 0
    INCOMPLETE = 12
    TAMPERED = 13
    UNKNOWN_KEY = 15
    MALFORMED = 16


class BookBroken(Exception):
    """A book is not what it should be; `sequence` is that of the first bad entry, if one is."""

    def __init__(
        self, reason: str, sequence: int | None = None, verdict: Verdict = Verdict.TAMPERED
    ) -> None:
        """Say what is wrong, and where."""
        super().__init__(reason)
        self.sequence = sequence
        self.verdict = verdict


class Audit:
    """One book as it is read: what its entries so far add up to."""

    def __init__(self, organisation: str, book: str) -> None:
        """Begin before the genesis."""
        self.organisation = organisation
        self.book = book
        self.size = 0
        self.head_hash: str | None = None
        self.previous: str | None = None
        self.recorded_at = ""
        self.sums: dict[tuple[str, str], list[int]] = {}
        self.series: attested.Series | None = None
        # The log's keys, as vkeys, each from the entry on that names it.
        self.keys: dict[str, int] = {}
        # By currency, debit and credit, where they are plain: the sums that an entry moves, and
        # whether what it takes must be there.
        self.routes: dict[tuple[str | None, ...], tuple[list[int], list[int], bool]] = {}

    def add(self, row: Sequence[str | None]) -> None:
        """Check the next row: line, hash, and the columns as text, ordered as in a line."""
        if not self._take(row):
            self._judge(row)

    def _take(self, row: Sequence[str | None]) -> bool:
        """
        Take a row that is sound and plain, as nearly all are, at a fifth of the cost.

        Every other row is left to `_judge`, which alone says what is wrong.
        """
        text, entry_hash, amount, book, credit, currency, debit = row[:7]
        organisation, previous, recorded_at, sequence = row[12:]
        route = self.routes.get((currency, debit, credit))
        recorded = moment_of(recorded_at or "")
        if (
            text is None
            or route is None
            or recorded is None
            or recorded < self.recorded_at
            or self.series is not None
            or (organisation, book) != (self.organisation, self.book)
            or (previous, sequence) != (self.head_hash, str(self.size))
            or text != plain_line(row)
        ):
            return False
        data, moved = text.encode(), int(amount or "")
        head_hash = "sha256:" + sha256(data).hexdigest()
        debited, credited, is_limited = route
        is_overdrawn = is_limited and debited[0] + moved > debited[1]
        is_too_much = max(debited[0], credited[1]) + moved > line.INTEGER_MAX
        if entry_hash != head_hash or len(data) > line.BYTES_MAX or is_overdrawn or is_too_much:
            return False
        debited[0] += moved
        credited[1] += moved
        self.previous, self.head_hash, self.recorded_at = previous, head_hash, recorded
        self.size += 1
        return True

    def _judge(self, row: Sequence[str | None]) -> None:
        text, entry_hash, *columns = row
        columns[METADATA] = _rewritten(columns[METADATA] or "")
        for place in MOMENTS:
            columns[place] = moment_of(columns[place] or "") or columns[place]
        parts = self._parse(text or "")
        head_hash = line.hash_of(text or "")
        self._check_chain(parts, head_hash)
        if entry_hash != head_hash:
            raise BookBroken("the hash beside the line is not that of the line", self.size)
        if parts != columns:
            pairs = zip(PARTS, parts, columns, strict=True)
            names = ", ".join(name for name, part, column in pairs if part != column)
            raise BookBroken(f"the line and the columns disagree: {names}", self.size)
        self._check_entry(parts)
        self.previous, self.head_hash = self.head_hash, head_hash
        self.size += 1

    def finish(self, head: Head | None, accounts: Iterable[Sequence[Any]]) -> None:
        """Compare the head and the accounts with what the entries add up to."""
        self._check_head(head)
        missing = dict(self.sums)
        for currency, name, kind, debits, credits in accounts:
            expected = missing.pop((currency, name), [0, 0])
            if [debits, credits] != expected:
                raise BookBroken(
                    f"the account {name} in {currency} says {debits:,} − {credits:,}, "
                    f"its entries add up to {expected[0]:,} − {expected[1]:,}"
                )
            if kind is None or kind != self.kind_of(currency, name):
                raise BookBroken(f"the account {name} in {currency} cannot be of the kind {kind}")
        if missing:
            names = ", ".join(f"{name} in {currency}" for currency, name in sorted(missing))
            raise BookBroken(f"accounts are missing: {names}")
        self._assert_sides_are_equal()

    def kind_of(self, currency: str, name: str) -> str | None:
        """Return the kind of the account with this name and currency; None where there is none."""
        if currency == "XXX":
            return "genesis" if name in {"genesis", "genesis:end"} else None
        if self.book != PUBLIC:
            is_name = currency == "CREDIT" and 1 <= len(name) <= ACCOUNT_LENGTH_MAX
            kind = "owner" if name.startswith("owner:") and name != "owner:" else "other"
            return kind if is_name and name not in {"genesis", "genesis:end"} else None
        if not CURRENCY.match(currency) or len(name) > ACCOUNT_LENGTH_MAX:
            return None
        return "place" if PLACE.match(name) else "purpose" if PURPOSE.match(name) else None

    def _parse(self, text: str) -> list[str | None]:
        try:
            fields = line.parse(text.encode())
        except line.LineMalformed as error:
            raise BookBroken(str(error), self.size, Verdict.MALFORMED) from error
        fields["metadata"] = line.encoder.encode(fields["metadata"])
        return [None if fields[name] is None else str(fields[name]) for name in PARTS]

    def _check_chain(self, parts: Sequence[str | None], head_hash: str) -> None:
        sequence, previous = parts[-1], parts[PREVIOUS]
        if sequence != str(self.size):
            is_rival = (sequence, previous) == (str(self.size - 1), self.previous)
            if is_rival and head_hash != self.head_hash:
                raise BookBroken("a second, different entry has its place", self.size - 1)
            raise BookBroken(f"the entry in its place has the sequence {sequence}", self.size)
        if previous != self.head_hash:
            # The later line vouches for the earlier one, so the earlier one is named.
            raise BookBroken("the next entry stands on another hash", max(self.size - 1, 0))

    def _check_entry(self, parts: Sequence[Any]) -> None:
        amount, book, credit, currency, debit, entry_id, metadata = parts[:7]
        nonce, _occurred_at, operation, organisation, _previous, recorded_at, _sequence = parts[7:]
        self._require((organisation, book) == (self.organisation, self.book), "is of another book")
        self._require(ENTRY_ID.match(entry_id), "has an id that cannot be")
        self._require(OPERATION.match(operation), "has an operation that cannot be")
        self._require(1 <= len(nonce) <= NONCE_LENGTH_MAX, "has a nonce that cannot be")
        self._require(recorded_at >= self.recorded_at, "was recorded before its predecessor")
        if self.size == 0 or operation == "GENESIS":
            is_genesis = (operation, currency, debit, credit, nonce) == GENESIS
            self._require(is_genesis and self.size == 0, "is not the one genesis of its book")
            self.keys[str(json.loads(metadata).get("vkey"))] = 0
        self._move(int(amount), currency, debit, credit)
        note = (amount, currency, debit, credit)
        if operation == attested.OPERATION:
            self._attest(attested.attestation_in(json.loads(metadata), nonce, note))
        else:
            self._require(self.series is None, "interrupts the attestation before it")
        if operation == rotation.OPERATION:
            self._require(note == attested.NOTE, "rotates the key and moves something")
            self._rotate(json.loads(metadata), nonce)
        self.recorded_at = recorded_at

    def _attest(self, stated: attested.Attestation | None) -> None:
        self._require(self.book == PUBLIC, "attests the balances of a book that is not public")
        if stated is None:
            raise BookBroken("the entry attests in an unknown form", self.size)
        due = attested.rows_of(self.sums)
        series = self.series or attested.Series(self.size, 1, stated.parts, len(due), due)
        broken = series.broken_by(stated)
        self._require(not broken, broken)
        self.series = series.after(stated)

    def _rotate(self, metadata: dict[str, Any], nonce: str) -> None:
        try:
            rotation.check_rotation(metadata, nonce, self.keys)
        except rotation.RotationFalse as false:
            raise BookBroken(f"the entry {false}", self.size) from false
        self.keys[metadata["vkey"]] = self.size

    def _move(self, amount: int, currency: str, debit: str, credit: str) -> None:
        self._require(amount >= 0, "moves less than nothing")
        self._require(debit != credit, "has one account on both sides")
        self._require(currency != "XXX" or amount == 0, "moves an amount without a currency")
        debited, credited = self._sums_of(currency, debit), self._sums_of(currency, credit)
        debited[0] += amount
        credited[1] += amount
        is_countable = max(debited[0], credited[1]) <= line.INTEGER_MAX
        self._require(is_countable, "makes an account larger than can be counted")
        is_limited = self.book != PUBLIC and self.kind_of(currency, debit) == "owner"
        if is_limited:
            self._require(debited[0] <= debited[1], "spends more than its owner has")
        names = (self.organisation, self.book, currency, debit, credit)
        if currency != "XXX" and all(map(PLAIN.match, names)):
            self.routes[currency, debit, credit] = debited, credited, is_limited

    def _sums_of(self, currency: str, name: str) -> list[int]:
        sums = self.sums.get((currency, name))
        if sums is None:
            self._require(self.kind_of(currency, name), f"names no account: {name} in {currency}")
            sums = self.sums[currency, name] = [0, 0]
        return sums

    def _require(self, condition: object, broken: str) -> None:
        if not condition:
            raise BookBroken(f"the entry {broken}", self.size)

    def _check_head(self, head: Head | None) -> None:
        if head is None:
            raise BookBroken("the book has no head")
        size, head_hash = head
        if size > self.size or self.size == 0:
            reason = f"the head counts {size:,} entries, and there are {self.size:,}"
            raise BookBroken(reason, verdict=Verdict.INCOMPLETE)
        if size < self.size:
            raise BookBroken(f"the head counts only {size:,} entries", size)
        if head_hash != self.head_hash:
            raise BookBroken("the head has another hash than the last entry", self.size - 1)

    def _assert_sides_are_equal(self) -> None:
        # Follows from what was checked: both sides of an entry are the same amount, and in the
        # public book each is a place or a purpose. It is the sentence the product shows.
        totals: dict[str, int] = {}
        for (currency, _name), (debits, credits) in self.sums.items():
            totals[currency] = totals.get(currency, 0) + debits - credits
        assert not any(totals.values()), "places and purposes differ"


def plain_line(row: Sequence[str | None]) -> str | None:
    """
    Return the line that the columns of a row make, if they are of the right forms; else None.

    It is canonical where the names of book and accounts and the hash need no escape, which is for
    the caller to know.
    """
    _text, _entry_hash, amount, book, credit, currency, debit, entry_id, metadata = row[:9]
    nonce, occurred_at, operation, organisation, previous, recorded_at, sequence = row[9:]
    written, occurred = canonical(metadata or ""), moment_of(occurred_at or "")
    if (
        written is None
        or occurred is None
        or not (AMOUNT.match(amount or "") and is_plain_operation(operation or ""))
        or not (ENTRY_ID.match(entry_id or "") and PLAIN.match(nonce or ""))
    ):
        return None
    return (
        f'{{"amount":{amount},"book":"{book}","credit":"{credit}","currency":"{currency}",'
        f'"debit":"{debit}","entry_id":"{entry_id}","metadata":{written},"nonce":"{nonce}",'
        f'"occurred_at":"{occurred}","operation":"{operation}",'
        f'"organisation_id":"{organisation}","prev_entry_hash":"{previous}",'
        f'"recorded_at":"{moment_of(recorded_at or "")}","sequence":{sequence},"version":1}}'
    )


def _rewritten(metadata: str) -> str:
    try:
        return line.encoder.encode(json.loads(metadata))
    except (ValueError, RecursionError):
        return metadata


@lru_cache(maxsize=64)
def moment_of(column: str) -> str | None:
    """Return a moment as lines have it; None for what PostgreSQL writes in another form."""
    try:
        datetime.fromisoformat(column)
    except ValueError:
        return None
    return f"{column[:10]}T{column[11:]}Z" if MOMENT.match(column) else None


@lru_cache(maxsize=64)
def is_plain_operation(name: str) -> bool:
    """Tell whether an operation has no rules of its own."""
    return OPERATION.match(name) is not None and name not in RULED


@lru_cache(maxsize=16)
def canonical(column: str) -> str | None:
    """Return metadata as lines have it, from how PostgreSQL writes it; None if no line may."""
    if column.isascii() and column.isprintable() and "\\" not in column:
        texts = column.split('"')
        if form := _form_of('"'.join(texts[::2]), tuple(texts[1::4])):
            template, values_of = form
            written: str = template % values_of(texts)
            return written
    try:
        metadata = json.loads(column)
        line.check_metadata(metadata)
    except (ValueError, AttributeError, RecursionError):
        return None
    return line.encoder.encode(metadata)


@lru_cache(maxsize=1024)
def _form_of(marks: str, keys: tuple[str, ...]) -> tuple[str, Callable[[list[str]], Any]] | None:
    """Return how metadata of texts alone is written, from its punctuation and keys."""
    is_flat = marks == '{"' + '", "'.join([": "] * len(keys)) + '"}'
    if not (is_flat and len({*keys}) == len(keys) and all(map(line.KEY.match, keys))):
        return None
    places = {key: 4 * number + 3 for number, key in enumerate(keys)}
    pairs = ",".join(f'"{key}":"%s"' for key in sorted(keys))
    return f"{{{pairs}}}", itemgetter(*(places[key] for key in sorted(keys)))
