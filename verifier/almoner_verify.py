"""
Verify an Almoner book, or what was signed of it, with nothing but Python's standard library.

An export is one canonical JSON line per entry, ascending, each ended by LF. Every line carries the
SHA-256 of the line before it, so a line is vouched for by its successor, and the last one by the
head hash that the server states.

Which sequence is named when line n is the first that does not fit (checked in this order):

1. Its bytes are no line of the strict profile: MALFORMED at n.
2. Its `sequence` is not n: TAMPERED at n (swapped, removed, doubled, moved). Only when it claims
   the place of line n-1, on the same predecessor and with other content, is n-1 named: that line
   was put in before it.
3. Its `prev_entry_hash` is not the hash of line n-1: TAMPERED at n-1, since the later line vouches
   for the earlier one. An edited line k is thus named k. (Whoever edits only the
   `prev_entry_hash` of line k gets k-1 named: the file cannot tell which of the two was edited,
   and everything before the named line is sound either way.)
4. It breaks a rule of the book: TAMPERED at n.

After the last line the head is compared (TAMPERED at its size - 1; INCOMPLETE if the file is
shorter or empty), then the balances (TAMPERED, naming the account instead of a sequence).

A public book attests its own balances now and then: by entries of the operation
`BALANCE_ATTESTATION` that move nothing, in parts 1 to P that follow each other at once. `size` is
the number of entries before part 1 and so its sequence, `accounts` counts the accounts over all
parts, and each row is one account with the sums of all that it was ever debited and credited:

    "nonce": "attestation:<size>:<part>", "metadata": {"size": N, "part": p, "parts": P,
     "accounts": K, "a0": {"account": "fund:general", "currency": "EUR", "debits": 123,
     "credits": 456}, "a1": {...}, ...}

Every account that an entry has named by then stands there once, also one at zero, but those of the
currency `XXX`; ordered by the bytes of currency, then account, going on from part to part; up to
100 a part. What does not agree with the entries before is TAMPERED at the attestation; what stands
between two parts is TAMPERED where it stands. An export that begins at an attestation can be
verified from there (`--from-attestation`): all before it is then trusted, not verified.

A book is a log too: its lines are the leaves of a Merkle tree (RFC 9162), whose size and root the
organisation's key signs in checkpoints. They, cosignatures of witnesses and receipts of single
entries have the formats of C2SP: signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof. Whose
word is taken is for the user to say, by keys or by a policy file (C2SP tlog-policy). A checkpoint
that no known key signed is UNKNOWN_KEY, a wrong signature of a known key TAMPERED, too few
witnesses UNWITNESSED; then the tree is compared.

The genesis names the first key of the log. An entry of the operation `KEY_ROTATION` that moves
nothing puts a new one of the same name in its place, which was never in force before:

    "nonce": "key:<id of the new key>", "metadata": {"retires": "<old vkey>", "vkey": "<new vkey>",
     "signature": "<base64 of the old key's Ed25519 signature>"}

What it signs is "almoner-key-rotation/v1", the old and the new vkey, each ended by LF; it is left
out when the old key is lost. A key whose word is taken passes it on from there on: to a successor
that it signed; to any, if no key was given and the book is believed about its own. Checkpoints that
end before such an entry are still the old key's.

The last good checkpoint of each log is remembered. One that speaks of less is STALE, and so is one
whose witnesses signed too long ago (`--max-age`); one that contradicts it is a FORK, with both
notes as evidence.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import http.client
import io
import itertools
import json
import os
import re
import sys
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from array import array
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from hashlib import blake2b, sha256, sha512
from operator import itemgetter, le
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn

LINE_BYTES_MAX = 16_384
BLOCK_BYTES = 128 * 1024
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
INTEGER_MAX = 2**53 - 1
TIMEOUT_SECONDS = 30
GONE = 404
HEAD_ATTEMPTS_MAX = 5
EXIT_CODES = {
    "VALID": 0,
    "STALE": 10,
    "UNWITNESSED": 11,
    "INCOMPLETE": 12,
    "TAMPERED": 13,
    "FORK": 14,
    "UNKNOWN_KEY": 15,
    "MALFORMED": 16,
}
EXIT_NO_VERDICT = 3

# A string is judged by Unicode 14.0, whichever Python reads it: these code points came later
# (15.0 to 17.0). Text of assigned code points keeps its normal form in all later versions.
YOUNG_CODE_POINTS = """
88f 897 c5c cdc cf3 ece 1acf-1add 1ae0-1aeb 1b4e-1b4f 1b7f 1c89-1c8a 20c1 2427-2429 2b96
2ffc-2fff 31e4-31e5 31ef a7cb-a7cf a7d2 a7d4 a7da-a7dc a7f1 fbc3-fbd2 fd90-fd91 fdc8-fdce
105c0-105f3 10940-10959 10d40-10d65 10d69-10d85 10d8e-10d8f 10ec2-10ec7 10ed0-10ed8
10efa-10eff 1123f-11241 11380-11389 1138b 1138e 11390-113b5 113b7-113c0 113c2 113c5
113c7-113ca 113cc-113d5 113d7-113d8 113e1-113e2 116d0-116e3 11b00-11b09 11b60-11b67
11bc0-11be1 11bf0-11bf9 11db0-11ddb 11de0-11de9 11f00-11f10 11f12-11f3a 11f3e-11f5a 1342f
13439-13455 13460-143fa 16100-16139 16d40-16d79 16ea0-16eb8 16ebb-16ed3 16ff2-16ff6
187f8-187ff 18cff 18d09-18d1e 18d80-18df2 1b132 1b155 1cc00-1ccfc 1cd00-1ceb3 1ceba-1ced0
1cee0-1cef0 1d2c0-1d2d3 1df25-1df2a 1e030-1e06d 1e08f 1e4d0-1e4f9 1e5d0-1e5fa 1e5ff
1e6c0-1e6de 1e6e0-1e6f5 1e6fe-1e6ff 1f6d8 1f6dc 1f774-1f77f 1f7d9 1f8b2-1f8bb 1f8c0-1f8c1
1f8d0-1f8d8 1fa54-1fa57 1fa75-1fa77 1fa87-1fa8a 1fa8e-1fa8f 1faad-1faaf 1fabb-1fabf 1fac6
1fac8 1facd-1facf 1fada-1fadc 1fadf 1fae8-1faea 1faef 1faf7-1faf8 1fbcb-1fbef 1fbfa
2b739-2b73f 2cea2-2cead 2ebf0-2ee5d 31350-33479
"""

Balances = dict[tuple[str, str], int]


class Entry(NamedTuple):
    """One line, read: the fields in the order in which the line has them."""

    amount: int
    book: str
    credit: str
    currency: str
    debit: str
    entry_id: str
    metadata: dict[str, Any]
    nonce: str
    occurred_at: str
    operation: str
    organisation_id: str
    prev_entry_hash: str | None
    recorded_at: str
    sequence: int
    version: int


class Finding(Exception):
    """Something is wrong with the book: the verdict, the sequence it names, and why."""

    def __init__(self, verdict: str, sequence: int | None, reason: str) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.sequence = sequence
        self.reason = reason


class Malformed(Exception):
    """These bytes are no line of the strict profile."""


class Unreachable(Exception):
    """A file or URL could not be read, so no verdict can be reached."""


class Missing(Unreachable):
    """There is no such file, or the server says so."""


# --- One line ------------------------------------------------------------------------------------


def refuse_number(text: str) -> NoReturn:
    raise Malformed("a number is not an integer")


DECODE = json.JSONDecoder(parse_float=refuse_number, parse_constant=refuse_number).decode
ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
FIELDS = frozenset(Entry._fields)
VALUES_OF = itemgetter(*Entry._fields)
TYPES = tuple(
    {"amount": int, "sequence": int, "version": int, "metadata": dict}.get(name, str)
    for name in Entry._fields
)
GENESIS_TYPES = tuple(
    type(None) if name == "prev_entry_hash" else kind
    for name, kind in zip(Entry._fields, TYPES, strict=True)
)
HASH = re.compile(r"sha256:[0-9a-f]{64}")
KEY = re.compile(r"[a-z0-9_]+")
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z")


def read_line(line: bytes) -> Entry:
    """
    Read the bytes of one line, without its LF; raises `Malformed` unless they are canonical.

    Within the profile, compact JSON with sorted keys is RFC 8785, so writing what was read must
    give the same text: that refuses duplicate keys, other key order, white space and escapes.
    """
    text = decoded(line)
    try:
        value = DECODE(text)
        is_canonical = ENCODE(value) == text
    except (ValueError, RecursionError):
        raise Malformed("it is not JSON") from None
    if type(value) is not dict:
        raise Malformed("it is not an object")
    if not is_canonical:
        raise Malformed("it is not in canonical form")
    if value.keys() != FIELDS:
        raise Malformed("it does not have exactly the fields of an entry")
    values = VALUES_OF(value)
    check_types(values)
    entry = Entry(*values)
    check_values(entry)
    if not text.isascii() or "\\" in text or not text.isprintable():
        check_strings(value)
    return entry


def decoded(line: bytes) -> str:
    if len(line) > LINE_BYTES_MAX:
        raise Malformed("it is longer than 16384 bytes")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Malformed("it is not UTF-8") from None


def check_types(values: tuple[Any, ...]) -> None:
    kinds = tuple(map(type, values))
    if kinds not in (TYPES, GENESIS_TYPES):
        raise Malformed("a field has the wrong type")


def check_values(entry: Entry) -> None:
    if not (abs(entry.amount) <= INTEGER_MAX and abs(entry.sequence) <= INTEGER_MAX):
        raise Malformed("an integer is out of range")
    if entry.version != 1:
        raise Malformed("its version is not 1")
    if entry.prev_entry_hash is None and entry.sequence != 0:
        raise Malformed("prev_entry_hash is null outside the genesis line")
    if entry.prev_entry_hash is not None and not HASH.fullmatch(entry.prev_entry_hash):
        raise Malformed("prev_entry_hash is not a SHA-256")
    if not (is_moment(entry.occurred_at) and is_moment(entry.recorded_at)):
        raise Malformed("a time is not a real UTC time in whole seconds")
    check_metadata(entry.metadata, may_nest=True)


def is_moment(text: str) -> bool:
    return MOMENT.fullmatch(text) is not None and is_day(text[:10])


@lru_cache(maxsize=1024)
def is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def check_metadata(metadata: dict[str, Any], *, may_nest: bool) -> None:
    for key, value in metadata.items():
        if not KEY.fullmatch(key):
            raise Malformed("a metadata key is not of a-z, 0-9 and _")
        kind = type(value)
        if kind is int:
            if abs(value) > INTEGER_MAX:
                raise Malformed("an integer is out of range")
        elif kind is dict and may_nest:
            check_metadata(value, may_nest=False)
        elif kind is not str and kind is not bool:
            raise Malformed("metadata holds something else than strings, integers and booleans")


def check_strings(value: dict[str, Any]) -> None:
    """Check the strings of a line that is not plain printable ASCII."""
    for part in value.values():
        if type(part) is dict:
            check_strings(part)
        elif type(part) is str:
            if any(is_forbidden(character) for character in part):
                raise Malformed("a string has a control character or an unassigned code point")
            if not unicodedata.is_normalized("NFC", part):
                raise Malformed("a string is not in normal form NFC")


@lru_cache(maxsize=4096)
def is_forbidden(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cn", "Cs") or any(
        first <= ord(character) <= last for first, last in young_ranges()
    )


@lru_cache(maxsize=1)
def young_ranges() -> list[tuple[int, int]]:
    ends = [written.split("-") for written in YOUNG_CODE_POINTS.split()]
    return [(int(pair[0], 16), int(pair[-1], 16)) for pair in ends]


# --- The book ------------------------------------------------------------------------------------

SLUG = "[a-z0-9][a-z0-9_-]*"
PLACE = re.compile(f"stripe|in_transit|(?:bank|reserve|onchain):{SLUG}")
PURPOSE = re.compile(f"held|external|unclassified|fund:{SLUG}")
NOWHERE = ("genesis", "genesis:end")
NOTHING = "XXX"
NAME_BYTES_MAX = 64
HASH_PREFIX = "sha256:"

Account = tuple[str, str]
Route = tuple[str, str, str]


@lru_cache(maxsize=4096)
def side_of(account: str) -> str:
    if PLACE.fullmatch(account):
        return "places"
    return "purposes" if PURPOSE.fullmatch(account) else ""


@dataclass
class Book:
    """
    A book while it is read: `add` takes the lines in order and raises `Finding` at a bad one.

    Of every entry it keeps nonce, id, and what a correction must mirror, no more. `start` is the
    sequence of the first line: 0, but for an export that is read from an attestation on.
    """

    size: int = 0
    start: int = 0
    first: Entry | None = None
    last: Entry | None = None
    last_hash: str = ""
    nonces: set[bytes] = field(default_factory=set)
    entry_ids: set[bytes] = field(default_factory=set)
    reversed_sequences: set[int] = field(default_factory=set)
    unseen_reversed: int = 0
    amounts: array[int] = field(default_factory=lambda: array("q"))
    routes: array[int] = field(default_factory=lambda: array("L"))
    route_numbers: dict[Route, int] = field(default_factory=dict)
    debits: defaultdict[Account, int] = field(default_factory=lambda: defaultdict(int))
    credits: defaultdict[Account, int] = field(default_factory=lambda: defaultdict(int))
    series: Series | None = None
    keys: list[Key] = field(default_factory=list)
    rotations: list[Rotation] = field(default_factory=list)

    def add(self, line: bytes) -> None:
        try:
            entry = read_line(line)
        except Malformed as error:
            where = f"line {self.size - self.start + 1}"
            raise Finding("MALFORMED", self.size, f"{where}: {error}") from None
        line_hash = HASH_PREFIX + sha256(line).hexdigest()
        self.check_chain(entry, line_hash)
        broken_rule = self.broken_rule(entry)
        if broken_rule:
            raise Finding("TAMPERED", self.size, f"entry {self.size}: {broken_rule}")
        self.take(entry, line_hash)

    def check_chain(self, entry: Entry, line_hash: str) -> None:
        size, last = self.size, self.last
        if entry.sequence != size:
            is_rival = (
                last is not None
                and entry.sequence == last.sequence
                and entry.prev_entry_hash == last.prev_entry_hash
                and line_hash != self.last_hash
            )
            if is_rival:
                reason = f"entry {size - 1}: a second, different entry claims its place"
                raise Finding("TAMPERED", size - 1, reason)
            reason = f"entry {size}: the line in its place has sequence {entry.sequence}"
            raise Finding("TAMPERED", size, reason)
        if last is not None and entry.prev_entry_hash != self.last_hash:
            reason = f"entry {size - 1}: entry {size} recorded another hash for it"
            raise Finding("TAMPERED", size - 1, reason)

    def broken_rule(self, entry: Entry) -> str:
        return (
            self.broken_identity(entry)
            or self.broken_money(entry)
            or self.broken_correction(entry)
            or self.broken_attestation(entry)
            or self.broken_rotation(entry)
            or self.used_name(entry)
        )

    def broken_identity(self, entry: Entry) -> str:
        first, last = self.first, self.last
        if first is None or last is None:
            return "" if self.start or is_genesis(entry) else "it is not a genesis entry"
        if entry.operation == "GENESIS":
            return "it is a second genesis"
        if entry.organisation_id != first.organisation_id or entry.book != first.book:
            return "it belongs to another organisation or book"
        if entry.recorded_at < last.recorded_at:
            return "it was recorded before its predecessor"
        return ""

    def broken_money(self, entry: Entry) -> str:
        route, amount = route_of(entry), entry.amount
        if amount < 0:
            return "its amount is negative"
        if entry.currency == NOTHING and amount:
            return "it moves an amount of no currency"
        broken_route = broken_route_in(entry.book, route)
        if broken_route:
            return broken_route
        return "" if self.is_in_range(route, amount) else "a balance is out of range"

    def is_in_range(self, route: Route, amount: int) -> bool:
        debit, credit, currency = route
        debited = self.debits.get((debit, currency), 0)
        credited = self.credits.get((credit, currency), 0)
        return max(debited, credited) + amount <= INTEGER_MAX

    def broken_correction(self, entry: Entry) -> str:
        if entry.operation != "CORRECTION":
            return ""
        target = entry.metadata.get("reverses")
        if type(target) is not int or not 1 <= target < self.size:
            return "it does not name the earlier entry that it reverses"
        if target in self.reversed_sequences:
            return "it reverses an entry that was reversed before"
        if target < self.start:
            return ""
        place = target - self.start
        route = self.route_numbers.get((entry.credit, entry.debit, entry.currency))
        if self.routes[place] != route or self.amounts[place] != entry.amount:
            return "it does not mirror the entry that it reverses"
        return ""

    def broken_attestation(self, entry: Entry) -> str:
        if entry.operation != ATTESTS:
            return "it interrupts the attestation before it" if self.series else ""
        if entry.book != "public":
            return "it attests the balances of a book that is not public"
        stated = attestation_in(entry)
        if stated is None:
            return "it attests in an unknown form"
        return self.series_with(stated).broken_by(stated)

    def series_with(self, stated: Attestation) -> Series:
        """The series that goes on, or the one that begins here."""
        if self.series:
            return self.series
        due = self.attestable()
        return Series(self.size, 1, stated.parts, len(due), due)

    def attestable(self) -> list[Row]:
        """What an attestation must say here: the sums of every account, in its order."""
        sums = {*self.debits, *self.credits}
        accounts = sorted((currency, name) for name, currency in sums if currency != NOTHING)
        return [
            Row(currency, name, self.debits[name, currency], self.credits[name, currency])
            for currency, name in accounts
        ]

    def broken_rotation(self, entry: Entry) -> str:
        if entry.operation != ROTATES:
            return ""
        rotation = rotation_in(entry)
        if rotation is None:
            return "it changes keys in an unknown form"
        return rotation.broken_after(self.keys_before(rotation))

    def keys_before(self, rotation: Rotation) -> list[Key]:
        """All keys till here; of a book that is read from an attestation on, those it has named."""
        return self.keys or ([rotation.retired] if self.start else [])

    def used_name(self, entry: Entry) -> str:
        if brief(entry.nonce.encode()) in self.nonces:
            return "its nonce was used before"
        if brief(entry.entry_id.encode()) in self.entry_ids:
            return "its entry_id was used before"
        return ""

    def take(self, entry: Entry, line_hash: str) -> None:
        if entry.operation == ATTESTS and (stated := attestation_in(entry)):
            self.series = self.series_with(stated).after(stated)
        if entry.operation == ROTATES and (rotation := rotation_in(entry)):
            self.keys = [*self.keys_before(rotation), rotation.key]
            self.rotations.append(rotation)
        if not self.size:
            self.keys = keys_in(entry)
        self.first = self.first or entry
        self.last = entry
        self.last_hash = line_hash
        self.size += 1
        self.nonces.add(brief(entry.nonce.encode()))
        self.entry_ids.add(brief(entry.entry_id.encode()))
        route = route_of(entry)
        self.routes.append(self.number_of(route))
        self.amounts.append(entry.amount)
        self.move(route, entry.amount)
        if entry.operation == "CORRECTION":
            self.reversed_sequences.add(entry.metadata["reverses"])
            self.unseen_reversed += entry.metadata["reverses"] < self.start

    def trust(self, entry: Entry, stated: Attestation) -> None:
        """Begin at an attestation, or go on with it: its sums are those of the book before it."""
        if stated.part == 1:
            self.size = self.start = entry.sequence
        for row in stated.rows:
            self.debits[row.account, row.currency] = row.debits
            self.credits[row.account, row.currency] = row.credits

    @property
    def trusted_hash(self) -> str | None:
        """The hash of the last entry that is trusted, as the first one states it."""
        return self.first.prev_entry_hash if self.first else None

    def number_of(self, route: Route) -> int:
        return self.route_numbers.setdefault(route, len(self.route_numbers))

    def move(self, route: Route, amount: int) -> None:
        debit, credit, currency = route
        self.debits[debit, currency] += amount
        self.credits[credit, currency] += amount

    def balances(self, side: str) -> Balances:
        """The balances of one side that are not zero, positive where money is there."""
        sign = 1 if side == "places" else -1
        return {
            (row.account, row.currency): sign * (row.debits - row.credits)
            for row in sorted(self.attestable(), key=itemgetter(1, 0))
            if row.debits != row.credits and side_of(row.account) == side
        }

    def broken_trust(self) -> str:
        """Say why the sums that a book begins with cannot be; empty if they can."""
        totals: defaultdict[str, int] = defaultdict(int)
        for row in self.attestable():
            totals[row.currency] += row.debits - row.credits
            is_in_range = 0 <= row.debits <= INTEGER_MAX and 0 <= row.credits <= INTEGER_MAX
            if not (is_in_range and side_of(row.account)):
                return f"it attests what {row.account} in {row.currency} cannot have"
        return "it attests sums that do not balance" if any(totals.values()) else ""


def route_of(entry: Entry) -> Route:
    return entry.debit, entry.credit, entry.currency


def broken_route_in(book: str, route: Route) -> str:
    debit, credit, currency = route
    if debit == credit:
        return "it moves from an account to the same account"
    if book == "public":
        for account in (debit, credit):
            is_allowed = currency == NOTHING and account in NOWHERE
            if not side_of(account) and not is_allowed:
                return "an account is neither a place nor a purpose"
    return ""


def is_genesis(entry: Entry) -> bool:
    named = (entry.operation, entry.amount, entry.currency, entry.nonce, entry.prev_entry_hash)
    sides = (entry.debit, entry.credit)
    return named == ("GENESIS", 0, NOTHING, "genesis", None) and sides == NOWHERE


def brief(name: bytes) -> bytes:
    """What is kept of a nonce or an id: itself, or of a long one its digest."""
    return name if len(name) <= NAME_BYTES_MAX else b"\xff" + blake2b(name).digest()


# --- What a book attests of itself ---------------------------------------------------------------

ATTESTS = "BALANCE_ATTESTATION"
ATTESTED_MAX = 100
COUNTS = dict.fromkeys(("size", "part", "parts", "accounts"), int)
SUMS = {"account": str, "currency": str, "debits": int, "credits": int}


class Row(NamedTuple):
    """One account, and the sums of all that it was ever debited and credited."""

    currency: str
    account: str
    debits: int
    credits: int


class Attestation(NamedTuple):
    """What one entry attests."""

    size: int
    part: int
    parts: int
    accounts: int
    rows: list[Row]


class Series(NamedTuple):
    """An attestation that goes on: the part that is due next, and the rows from there on."""

    size: int
    part: int
    parts: int
    accounts: int
    due: list[Row]

    def broken_by(self, stated: Attestation) -> str:
        if stated.size != self.size:
            return f"it attests {stated.size} entries, and {self.size} are before it"
        if (stated.part, stated.parts) != (self.part, self.parts):
            due = f"part {self.part} of {self.parts} is due"
            return f"it is part {stated.part} of {stated.parts}, and {due}"
        if stated.accounts != self.accounts:
            return f"it attests {stated.accounts} accounts, and the entries name {self.accounts}"
        for row, ours in zip(stated.rows, self.due, strict=False):
            if row[:2] != ours[:2]:
                due = f"{ours.account} in {ours.currency} is due"
                return f"it attests {row.account} in {row.currency}, and {due}"
            if row != ours:
                return f"it attests other sums of {ours.account} in {ours.currency} than it has"
        is_last, left = stated.part == stated.parts, len(self.due) - len(stated.rows)
        return "" if (left == 0 if is_last else left > 0) else "it ends at another account"

    def after(self, stated: Attestation) -> Series | None:
        if self.part == self.parts:
            return None
        return self._replace(part=self.part + 1, due=self.due[len(stated.rows) :])


def attestation_in(entry: Entry) -> Attestation | None:
    """What an entry attests; None if it has not the form of an attestation."""
    counts = dict(entry.metadata)
    rows = [counts.pop(f"a{number}", None) for number in range(len(counts) - len(COUNTS))]
    if types_in(counts) != COUNTS or any(types_in(row) != SUMS for row in rows):
        return None
    stated = Attestation(**counts, rows=[Row(**row) for row in rows if row])
    has_form = (
        entry.operation == ATTESTS
        and (entry.amount, entry.currency, (entry.debit, entry.credit)) == (0, NOTHING, NOWHERE)
        and entry.nonce == f"attestation:{stated.size}:{stated.part}"
        and 1 <= stated.part <= stated.parts
        and min(stated.accounts, 1) <= len(rows) <= ATTESTED_MAX
    )
    return stated if has_form else None


def types_in(value: Any) -> dict[str, type]:
    return {name: type(part) for name, part in value.items()} if type(value) is dict else {}


def read_attested(file: BinaryIO) -> tuple[Book, list[bytes]]:
    """
    Read the attestation at which an export begins: a book that trusts its sums, and its lines.

    The lines are not judged here: they are added to the book like any others, which says what is
    wrong with them. An export that begins with its genesis needs no trust.
    """
    book, lines = Book(), []
    for line in lines_of(file):
        lines.append(line)
        try:
            entry = read_line(line.removesuffix(b"\n"))
        except Malformed:
            return book, lines
        stated = attestation_in(entry)
        if len(lines) == 1 and entry.sequence and (stated is None or stated.part != 1):
            raise Finding("INCOMPLETE", None, "the export does not begin at an attestation")
        if stated is None:
            return book, lines
        book.trust(entry, stated)
        if stated.part == stated.parts:
            return book, lines
    if lines:
        raise Finding("INCOMPLETE", None, "the export ends in the attestation that it begins at")
    return book, lines


# --- What a book says of its keys ----------------------------------------------------------------

ROTATES = "KEY_ROTATION"
ROTATION_TEXT = "almoner-key-rotation/v1\n{}\n{}\n"


class Rotation(NamedTuple):
    """One key that takes the place of another: where, and what the other one signed, if it did."""

    sequence: int
    retired: Key
    key: Key
    signature: str | None

    def broken_after(self, keys: list[Key]) -> str:
        """Why this cannot follow these keys; empty if it can."""
        if keys[-1:] != [self.retired]:
            return "the key that it retires is not in force"
        if self.key.name != self.retired.name:
            return "its key has another name than the one that it retires"
        if self.key.id in [key.id for key in keys]:
            return "its key was in force before"
        is_sound = self.signature is None or self.is_signed()
        return "" if is_sound else "the key that it retires did not sign it"

    def shown(self) -> dict[str, Any]:
        """What reports say of it; `broken_after` has said that a signature is right."""
        vkeys = {"retires": self.retired.vkey, "vkey": self.key.vkey}
        return {"sequence": self.sequence, **vkeys, "is_signed": self.signature is not None}

    def is_signed(self) -> bool:
        """Tell whether the retired key signed for its successor."""
        try:
            signature = unbase64(self.signature or "", SIGNATURE_BYTES)
        except Malformed:
            return False
        text = ROTATION_TEXT.format(self.retired.vkey, self.key.vkey)
        return is_signature(self.retired.public, text.encode(), signature)


def rotation_in(entry: Entry) -> Rotation | None:
    """The keys that an entry changes; None if it has not the form of a rotation."""
    metadata = entry.metadata
    is_unsigned = "signature" not in metadata
    names = ("retires", "vkey") if is_unsigned else ("retires", "signature", "vkey")
    if types_in(metadata) != dict.fromkeys(names, str):
        return None
    try:
        retired, key = (read_key(metadata[name], TYPE_LOG) for name in ("retires", "vkey"))
    except Malformed:
        return None
    has_form = (
        (entry.amount, entry.currency, (entry.debit, entry.credit)) == (0, NOTHING, NOWHERE)
    ) and entry.nonce == f"key:{key.id.hex()}"
    return Rotation(entry.sequence, retired, key, metadata.get("signature")) if has_form else None


def genesis_key(genesis: Entry) -> Key:
    return read_key(str(genesis.metadata.get("vkey")), TYPE_LOG)


def keys_in(genesis: Entry) -> list[Key]:
    """The key that a genesis names, if it names one."""
    try:
        return [genesis_key(genesis)]
    except Malformed:
        return []


# --- Many plain lines at once --------------------------------------------------------------------

# A line of plain ASCII without escapes: no quote is in a string, so `[^"]*` ends where the string
# ends. Nearly every line is one, and a run of them is verified at a fifth of the cost. Whatever is
# not matched, or does not fit in any way, `Book.add` reads one by one: it alone gives verdicts.
PLAIN = bytes({*range(0x20, 0x7F)} - {ord("\\")})
TEXT = '"([^"]*)"'
INTEGER = "(0|[1-9][0-9]{0,14})"
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = "T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
PLAIN_LINE = re.compile(
    (
        rf'\{{"amount":{INTEGER},"book":{TEXT},'
        rf'("credit":"[^"]*","currency":"(?!{NOTHING}")[^"]*","debit":"[^"]*"),'
        rf'"entry_id":{TEXT},'
        r'"metadata":(\{(?:"[^"]*":"[^"]*",?)*+\}|\{.*?\}(?=,"nonce":")),'
        rf'"nonce":{TEXT},"occurred_at":"({DAY}){TIME}",'
        rf'"operation":"(?!CORRECTION"|{ATTESTS}"|{ROTATES}"|GENESIS")[^"]*","organisation_id":{TEXT},'
        rf'"prev_entry_hash":"{HASH_PREFIX}([^"]*)","recorded_at":"({DAY}{TIME})",'
        rf'"sequence":{INTEGER},"version":1\}}'
    ).encode()
)


class Run(NamedTuple):
    """The parts of plain lines that follow each other, part by part."""

    amounts: Sequence[bytes]
    books: Sequence[bytes]
    routes: Sequence[bytes]
    entry_ids: Sequence[bytes]
    metadata: Sequence[bytes]
    nonces: Sequence[bytes]
    days: Sequence[bytes]
    organisations: Sequence[bytes]
    links: Sequence[bytes]
    moments: Sequence[bytes]
    sequences: Sequence[bytes]


def add_lines(book: Book, lines: Sequence[bytes]) -> None:
    """Take lines in their order: plain ones many at a time, all others one by one."""
    are_plain = is_plain(b"".join(lines))
    matches = [
        PLAIN_LINE.fullmatch(line) if are_plain or is_plain(line) else None for line in lines
    ]
    matches.append(None)
    start = 0
    while start < len(lines):
        end = matches.index(None, start)
        if start < end and take_run(book, lines[start:end], run_of(matches[start:end])):
            start = end
        else:
            end = max(end, start + 1)
            for line in lines[start:end]:
                book.add(line)
            start = end


def is_plain(text: bytes) -> bool:
    return not text.translate(None, PLAIN)


def run_of(matches: Iterable[re.Match[bytes] | None]) -> Run:
    return Run(*zip(*(match.groups() for match in matches if match), strict=True))


def take_run(book: Book, lines: Sequence[bytes], run: Run) -> bool:
    """Take all lines of a run, or none of them if not all are as `add` would have them."""
    hashes = [sha256(line).hexdigest() for line in lines]
    amounts = list(map(int, run.amounts))
    nonces, entry_ids = kept(run.nonces), kept(run.entry_ids)
    is_sound = (
        follows(book, lines, run, hashes)
        and are_moments(book, run)
        and all(map(is_metadata, {*run.metadata}))
        and are_new(nonces, book.nonces)
        and are_new(entry_ids, book.entry_ids)
        and are_moves(book, run, sum(amounts))
    )
    if not is_sound:
        return False
    book.last = read_line(lines[-1])
    book.last_hash = HASH_PREFIX + hashes[-1]
    book.size += len(lines)
    book.nonces.update(nonces)
    book.entry_ids.update(entry_ids)
    book.amounts.extend(amounts)
    numbers = {text: book.number_of(route_in(text)) for text in {*run.routes}}
    book.routes.extend(map(numbers.__getitem__, run.routes))
    moved: defaultdict[bytes, int] = defaultdict(int)
    for text, amount in zip(run.routes, amounts, strict=True):
        moved[text] += amount
    for text, amount in moved.items():
        book.move(route_in(text), amount)
    return True


def follows(book: Book, lines: Sequence[bytes], run: Run, hashes: list[str]) -> bool:
    first, size = book.first, book.size
    if first is None or book.series:
        return False
    links = HASH_PREFIX.join(["", book.last_hash.removeprefix(HASH_PREFIX), *hashes[:-1]])
    return (
        {*run.books} == {first.book.encode()}
        and {*run.organisations} == {first.organisation_id.encode()}
        and list(map(int, run.sequences)) == list(range(size, size + len(lines)))
        and HASH_PREFIX.encode().join([b"", *run.links]) == links.encode()
        and max(map(len, lines)) <= LINE_BYTES_MAX
    )


def are_moments(book: Book, run: Run) -> bool:
    last = book.last.recorded_at.encode() if book.last else b""
    days = {*run.days, *(moment[:10] for moment in {*run.moments})}
    is_ordered = all(map(le, [last, *run.moments], run.moments))
    return is_ordered and all(is_day(day.decode()) for day in days)


def is_metadata(text: bytes) -> bool:
    """Tell whether plain text is the canonical form of metadata that an entry may have."""
    parts = text.split(b'"')
    if is_flat(b'"'.join(parts[::2]), tuple(parts[1::4])):
        return True
    try:
        value = DECODE(text.decode())
        check_metadata(value, may_nest=True)
    except (Malformed, ValueError, RecursionError):
        return False
    return ENCODE(value).encode() == text


@lru_cache(maxsize=4096)
def is_flat(marks: bytes, keys: tuple[bytes, ...]) -> bool:
    """Tell whether these marks and keys, with any texts as values, are metadata of texts alone."""
    is_ordered = list(keys) == sorted({*keys})
    are_names = all(KEY.fullmatch(key.decode()) for key in keys)
    return marks == b'{"%b"}' % b'","'.join([b":"] * len(keys)) and is_ordered and are_names


def kept(names: Sequence[bytes]) -> Sequence[bytes]:
    are_brief = max(map(len, names)) <= NAME_BYTES_MAX
    return names if are_brief else list(map(brief, names))


def are_new(names: Sequence[bytes], known: set[bytes]) -> bool:
    fresh = {*names}
    return len(fresh) == len(names) and fresh.isdisjoint(known)


def are_moves(book: Book, run: Run, amount: int) -> bool:
    """Tell whether the routes of a run are allowed, and could each take all of an amount."""
    name = run.books[0].decode()
    return all(
        not broken_route_in(name, route) and book.is_in_range(route, amount)
        for route in map(route_in, {*run.routes})
    )


@lru_cache(maxsize=4096)
def route_in(text: bytes) -> Route:
    value = DECODE("{" + text.decode() + "}")
    return value["debit"], value["credit"], value["currency"]


# --- Trees (RFC 9162 §2.1) -----------------------------------------------------------------------

EMPTY_ROOT = sha256(b"").digest()
HASH_BYTES, WIDTH = 32, 256
TILE_BYTES = HASH_BYTES * WIDTH


def leaf_hash(line: bytes) -> bytes:
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below a size of 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def root_of(hashes: bytes) -> bytes:
    """The root over leaves' hashes, one after the other; a lone node is carried up as it is."""
    while len(hashes) > HASH_BYTES:
        paired = len(hashes) // 64 * 64
        nodes = [sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, paired, 64)]
        hashes = b"".join(nodes) + hashes[paired:]
    return hashes or EMPTY_ROOT


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of `size` leaves of which one is known; the last step is the uppermost."""
    if size == 1:
        return leaf
    if not path:
        raise Malformed("the path is too short")
    sibling, middle = path.pop(), split(size)
    if index < middle:
        return node_hash(climb(leaf, index, middle, path), sibling)
    return node_hash(sibling, climb(leaf, index - middle, size - middle, path))


# --- Ed25519 (RFC 8032) --------------------------------------------------------------------------

PRIME = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, -1, PRIME) % PRIME
ROOT_OF_MINUS_ONE = pow(2, (PRIME - 1) // 4, PRIME)
KEY_BYTES, SIGNATURE_BYTES = 32, 64
Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a key signed a message, as §5.1.7 decides it, without the cofactor."""
    key = decoded_point(public)
    scalar = int.from_bytes(signature[32:], "little")
    if len(signature) != SIGNATURE_BYTES or key is None or scalar >= ORDER:
        return False
    digest = sha512(signature[:32] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    x, y, z, _ = key
    minus_key = (PRIME - x, y, z, (PRIME - x) * y % PRIME)
    found = added(multiplied(BASE, scalar), multiplied(minus_key, challenge))
    return encoded_point(found) == signature[:32]


def added(one: Point, other: Point) -> Point:
    """The sum of two points in extended coordinates (§5.1.4)."""
    a = (one[1] - one[0]) * (other[1] - other[0]) % PRIME
    b = (one[1] + one[0]) * (other[1] + other[0]) % PRIME
    c = 2 * one[3] * other[3] * CURVE % PRIME
    d = 2 * one[2] * other[2] % PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % PRIME, g * h % PRIME, f * g % PRIME, e * h % PRIME)


def multiplied(point: Point, scalar: int) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = added(result, point)
        point, scalar = added(point, point), scalar >> 1
    return result


def decoded_point(encoded: bytes) -> Point | None:
    """The point of 32 bytes, if they are the one encoding of one (§5.1.3)."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(encoded) != KEY_BYTES or y >= PRIME:
        return None
    x = x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % PRIME)


def x_of(y: int, sign: int) -> int | None:
    square = (y * y - 1) * pow(CURVE * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * ROOT_OF_MINUS_ONE % PRIME
    if (x * x - square) % PRIME or (not x and sign):
        return None
    return PRIME - x if x & 1 != sign else x


def encoded_point(point: Point) -> bytes:
    inverse = pow(point[2], -1, PRIME)
    x, y = point[0] * inverse % PRIME, point[1] * inverse % PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE_Y = 4 * pow(5, -1, PRIME) % PRIME
BASE_X = x_of(BASE_Y, 0) or 0
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % PRIME)


# --- Notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof) ------

NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
TYPE_LOG, TYPE_WITNESS = 1, 4
NOBODY = "none"
KEY_ID_BYTES, TIME_BYTES = 4, 8
TIME_MAX = 2**63 - 1
NAME = re.compile(r"[^\s+]+")
SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
SIGNATURE_LINE = re.compile(r"— (\S+) (\S+)")
CHECKPOINT = re.compile(r"(.+)\n(.+)\n(.+)\n")
PROOF = re.compile(
    r"c2sp\.org/tlog-proof@v1\nextra (\S+)\nindex (\S+)\n((?:\S+\n){0,63})\n(.*)", re.DOTALL
)


class Key(NamedTuple):
    """A verifier key (`vkey`): who signs, how, and with what."""

    name: str
    type: int
    public: bytes

    @property
    def id(self) -> bytes:
        name = self.name.encode(errors="surrogateescape")
        return sha256(name + b"\n" + bytes([self.type]) + self.public).digest()[:KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        material = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"


class Signature(NamedTuple):
    """A signature line of a note."""

    name: str
    key_id: bytes
    value: bytes


class Checkpoint(NamedTuple):
    """What a log has signed of itself, and the note in which it did."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[Signature, ...]


class Receipt(NamedTuple):
    """A line, where it stands in the log, the path from there to the root, and the checkpoint."""

    line: bytes
    place: int
    path: list[bytes]
    checkpoint: Checkpoint


def unbase64(text: str, length: int | None = None) -> bytes:
    """The bytes of base64 in its one canonical form."""
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        raise Malformed("what should be base64 is not") from None
    if base64.b64encode(value).decode() != text or length not in (None, len(value)):
        raise Malformed("what should be base64 is not canonical, or of another length")
    return value


def read_size(text: str) -> int:
    if not SIZE.fullmatch(text) or int(text) > INTEGER_MAX:
        raise Malformed("what should be a size is none")
    return int(text)


def read_key(vkey: str, kind: int | None = None) -> Key:
    """Read a verifier key, of one type alone if a kind is given."""
    name, _, rest = vkey.partition("+")
    key_id, _, encoded = rest.partition("+")
    material = unbase64(encoded, 33)
    key = Key(name, material[0], material[1:])
    if not NAME.fullmatch(name) or key.type not in (TYPE_LOG, TYPE_WITNESS):
        raise Malformed("a verifier key has a name without spaces, and is of Ed25519")
    if key.id.hex() != key_id:
        raise Malformed("the id of a verifier key is not its own")
    if kind not in (None, key.type):
        raise Malformed(f"this is not the key of a {'log' if kind == TYPE_LOG else 'witness'}")
    return key


def read_checkpoint(note: bytes) -> Checkpoint:
    if len(note) > NOTE_BYTES_MAX:
        raise Malformed("the note is longer than 1,000,000 bytes")
    try:
        text = note.decode()
    except UnicodeDecodeError:
        raise Malformed("the note is not UTF-8") from None
    body, _, signatures = text.rpartition("\n\n")
    match = CHECKPOINT.fullmatch(f"{body}\n")
    if not match or re.search("[\x00-\x09\x0b-\x1f]", text) or not signatures.endswith("\n"):
        raise Malformed("a checkpoint is an origin, a size, a root, an empty line and signatures")
    lines = signatures.split("\n")[:-1]
    if len(lines) > SIGNATURES_MAX:
        raise Malformed("the note has more than 100 signatures")
    size, root = read_size(match[2]), unbase64(match[3], HASH_BYTES)
    return Checkpoint(match[1], size, root, f"{body}\n", tuple(map(read_signature, lines)))


def read_signature(line: str) -> Signature:
    match = SIGNATURE_LINE.fullmatch(line)
    if not match or not NAME.fullmatch(match[1]):
        raise Malformed("what should be a signature line is none")
    value = unbase64(match[2])
    if len(value) <= KEY_ID_BYTES:
        raise Malformed("a signature line has no signature")
    return Signature(match[1], value[:KEY_ID_BYTES], value[KEY_ID_BYTES:])


def read_receipt(content: bytes) -> Receipt:
    try:
        match = PROOF.fullmatch(content.decode())
    except UnicodeDecodeError:
        match = None
    if not match:
        raise Malformed("a receipt has a line, an index, a path, an empty line and a checkpoint")
    path = [unbase64(text, HASH_BYTES) for text in match[3].splitlines()]
    checkpoint = read_checkpoint(match[4].encode())
    return Receipt(unbase64(match[1]), read_size(match[2]), path, checkpoint)


def signed_at(key: Key, checkpoint: Checkpoint) -> int | None:
    """
    When a key signed a checkpoint: 0 for a log's own, which does not say; None if it did not.

    Raises `Finding` when it stands there and is not its signature.
    """
    when = None
    for name, key_id, value in checkpoint.signatures:
        if (name, key_id) == (key.name, key.id):
            time, message, signature = 0, checkpoint.text, value
            if key.type == TYPE_WITNESS:
                time, signature = int.from_bytes(value[:TIME_BYTES]), value[TIME_BYTES:]
                message = f"cosignature/v1\ntime {time}\n{checkpoint.text}"
            if time > TIME_MAX or not is_signature(key.public, message.encode(), signature):
                raise Finding("TAMPERED", None, f"{name} did not sign this checkpoint")
            when = max(when or 0, time)
    return when


# --- What was signed -----------------------------------------------------------------------------


class Group(NamedTuple):
    """So many of its members (witnesses, earlier groups) must have signed, for it to have."""

    name: str
    needed: int
    members: tuple[str, ...]


class Endorsement(NamedTuple):
    """Whose word a checkpoint has: the log's key that signed, after those before it; witnesses."""

    keys: list[Key]
    times: dict[Key, int]


@dataclass(frozen=True)
class Policy:
    """
    Whose word is taken: the log's keys, the witnesses, and which of them must have signed.

    Witnesses have names, for the groups alone; `quorum` is one of these, or of a group, or "none".
    Who signed more than `age_max` seconds ago does not count for what is still current.
    """

    logs: tuple[Key, ...] = ()
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    quorum: str = NOBODY
    age_max: int | None = None

    def __post_init__(self) -> None:
        materials = [key.public for key in (*self.logs, *self.witnesses.values())]
        if len({*materials}) < len(materials):
            raise Malformed("the policy names one key twice")

    def is_met_by(self, signers: Container[Key]) -> bool:
        met = {NOBODY, *(name for name, key in self.witnesses.items() if key in signers)}
        for group in self.groups:
            if len(met.intersection(group.members)) >= group.needed:
                met.add(group.name)
        return self.quorum in met

    def successions(self, size: int, book: Book | None) -> list[list[Key]]:
        """Each key whose word is taken, and those that it passed on to within so many entries."""
        if book is None:
            return [[key] for key in self.logs]
        first = self.logs or (believed_key(book),)
        chains = [succession(key, book, size, is_given=bool(self.logs)) for key in first]
        named = [("the genesis", 0, key) for key in book.keys[:1]] + [
            (f"entry {place}", place, key) for place, _, key, _ in book.rotations
        ]
        witnesses = [key.public for key in self.witnesses.values()]
        for where, place, key in named:
            if key.public in witnesses and any(key in chain for chain in chains):
                raise Finding("MALFORMED", place, f"{where}: the policy names one key twice")
        return chains

    def check(self, checkpoint: Checkpoint, book: Book | None = None) -> Endorsement:
        """Return whose word a checkpoint has; a book may have changed keys. Raises `Finding`."""
        chains = self.successions(checkpoint.size, book)
        known = [key for chain in chains for key in chain]
        signers = [key for key in known if signed_at(key, checkpoint) is not None]
        ours = [chain for chain in chains if chain[0].name == checkpoint.origin]
        keys = next((chain for chain in ours if chain[-1] in signers), None)
        if keys is None:
            is_retired = any(key in signers for chain in ours for key in chain)
            raise unknown_key(checkpoint.origin, is_retired=is_retired)
        stated = [(key, signed_at(key, checkpoint)) for key in self.witnesses.values()]
        times = {key: min(time, INTEGER_MAX) for key, time in stated if time is not None}
        if not self.is_met_by(times):
            count = f"{len(times)} of {len(stated)} witnesses"
            reason = f"{count} signed the checkpoint, and more are asked for"
            raise Finding("UNWITNESSED", None, reason)
        return Endorsement(keys, times)

    def check_age(self, endorsement: Endorsement) -> None:
        """Raise `Finding` if what was signed may long be out of date."""
        if self.age_max is None:
            return
        since = time.time() - self.age_max
        if not self.is_met_by([key for key, when in endorsement.times.items() if when >= since]):
            reason = (
                f"too few witnesses signed the checkpoint within the last {self.age_max} seconds"
            )
            raise Finding("STALE", None, reason)

    def shown(
        self, checkpoint: Checkpoint | None, endorsement: Endorsement | None
    ) -> dict[str, Any] | None:
        """A checkpoint as reports have it: what it says, and who signed it."""
        if checkpoint is None:
            return None
        *earlier, key = endorsement.keys if endorsement else [None]
        times = endorsement.times if endorsement else {}
        return {
            **shown(checkpoint),
            "key": key and key.vkey,
            "succeeds": [key.vkey for key in earlier if key],
            "witnesses": [
                {"vkey": key.vkey, "signed_at": times.get(key)} for key in self.witnesses.values()
            ],
        }


def believed_key(book: Book) -> Key:
    """The key that a book names, whose word is taken where none was given. Raises `Finding`."""
    assert book.first
    try:
        return genesis_key(book.first)
    except Malformed as error:
        raise Finding("MALFORMED", 0, f"the genesis: {error}") from None


def succession(key: Key, book: Book, size: int, *, is_given: bool) -> list[Key]:
    """A key, and those that it passed on to within so many entries of a book."""
    keys = [key]
    for sequence, retired, successor, signature in book.rotations:
        is_agreed = signature is not None or not is_given
        if sequence < size and retired == keys[-1] and is_agreed:
            keys.append(successor)
    return keys


def unknown_key(origin: str, *, is_retired: bool) -> Finding:
    reason = f"no known key signed the checkpoint of {origin}"
    if is_retired:
        reason = f"the checkpoint of {origin} is signed by a retired key only"
    return Finding("UNKNOWN_KEY", None, reason)


def entry_of(receipt: Receipt) -> Entry:
    try:
        return read_line(receipt.line)
    except Malformed as error:
        reason = f"the line of the receipt: {error}"
        raise Finding("MALFORMED", receipt.place, reason) from None


def check_receipt(receipt: Receipt, entry: Entry) -> None:
    """Raise `Finding` unless a receipt proves that its entry was signed."""
    checkpoint, index = receipt.checkpoint, receipt.place
    # The path proves neither size nor index by itself: the size is the signed one.
    if index >= checkpoint.size:
        raise Finding("TAMPERED", index, f"entry {index} is not among {checkpoint.size} entries")
    path = list(receipt.path)
    try:
        root = climb(leaf_hash(receipt.line), index, checkpoint.size, path)
    except Malformed as error:
        raise Finding("TAMPERED", index, f"entry {index}: {error}") from None
    if path or root != checkpoint.root:
        reason = f"entry {index}: its path does not lead to the signed root"
        raise Finding("TAMPERED", index, reason)
    if entry.sequence != index:
        raise Finding("TAMPERED", index, f"entry {index}: its line says {entry.sequence}")
    check_organisation(checkpoint, entry)


OPENING_FIELDS = {"version", "organisation_id", "book", "sequence", "details"}
OPENING_VERSION = "almoner-opening/v1"
DETAIL_FIELD = re.compile("[a-z0-9_]{1,40}")
SALT = re.compile("[0-9a-f]{64}")


def opened_by(content: bytes, entry: Entry) -> list[dict[str, str]]:
    """Return the details that the donor's private file opens of an entry. Raises `Finding`."""
    try:
        opening = read_opening(content)
    except Malformed as error:
        raise Finding("MALFORMED", None, f"the opening: {error}") from None
    named = (opening["organisation_id"], opening["book"], opening["sequence"])
    if named != (entry.organisation_id, entry.book, entry.sequence):
        raise Finding("TAMPERED", entry.sequence, "the opening is of another entry")
    for detail in opening["details"]:
        if entry.metadata.get(f"commitment_{detail['field']}") != commitment_to(detail):
            reason = f"entry {entry.sequence} does not commit to this {detail['field']}"
            raise Finding("TAMPERED", entry.sequence, reason)
    return [{"field": each["field"], "value": each["value"]} for each in opening["details"]]


def read_opening(content: bytes) -> dict[str, Any]:
    try:
        opening = DECODE(content.decode())
    except (ValueError, RecursionError, Malformed):
        raise Malformed("it is not JSON") from None
    if (
        type(opening) is not dict
        or opening.keys() != OPENING_FIELDS
        or opening["version"] != OPENING_VERSION
        or type(opening["details"]) is not list
        or not opening["details"]
        or not all(map(is_detail, opening["details"]))
    ):
        raise Malformed("it has another form")
    return opening


def is_detail(detail: Any) -> bool:
    return (
        type(detail) is dict
        and detail.keys() == {"field", "value", "salt"}
        and all(type(text) is str for text in detail.values())
        and DETAIL_FIELD.fullmatch(detail["field"]) is not None
        and SALT.fullmatch(detail["salt"]) is not None
    )


def commitment_to(detail: dict[str, str]) -> str:
    """Return what a line says of a detail, which is canonical JSON (RFC 8785) in it."""
    salted = b"almoner-commit/v1\n" + bytes.fromhex(detail["salt"])
    content = ENCODE({detail["field"]: detail["value"]}).encode("utf-8", "replace")
    return HASH_PREFIX + sha256(salted + content).hexdigest()


def check_organisation(checkpoint: Checkpoint, entry: Entry) -> None:
    if checkpoint.origin.rpartition("/")[2] != entry.organisation_id:
        reason = f"entry {entry.sequence}: it is of another organisation"
        raise Finding("TAMPERED", entry.sequence, reason)


# --- A policy file (C2SP tlog-policy) ------------------------------------------------------------

POLICY_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
POLICY_COUNT = re.compile("[1-9][0-9]{0,8}")
POLICY_FORMS = {
    "log": "log <vkey> [<url>]",
    "witness": "witness <name> <vkey> [<url>]",
    "group": "group <name> all|any|<number> <name>...",
    "quorum": "quorum <name>|none",
}


def read_policy(content: bytes) -> Policy:
    """Read a policy file; what is wrong in it is `Malformed`, and its line is named."""
    lines = content.decode(errors="surrogateescape").removesuffix("\n").split("\n")
    draft = PolicyDraft()
    for number, line in enumerate(lines, 1):
        try:
            draft.take(line)
        except Malformed as error:
            raise Malformed(f"line {number}: {error}") from None
    if draft.quorum is None:
        hint = "`quorum none` asks for no witness"
        raise Malformed(f"line {len(lines)}: the policy ends without a quorum ({hint})")
    return Policy(tuple(draft.logs), draft.witnesses, tuple(draft.groups), draft.quorum)


@dataclass
class PolicyDraft:
    """What the lines of a policy file have said so far."""

    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=lambda: {NOBODY})
    grouped: set[str] = field(default_factory=lambda: {NOBODY})

    def take(self, line: str) -> None:
        if POLICY_CONTROL.search(line):
            raise Malformed("a control character; lines end with LF alone")
        words = [word for word in re.split("[ \t]+", line) if word]
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self.logs.append(self.new_key(vkey, TYPE_LOG))
            case ["witness", name, vkey] | ["witness", name, vkey, _]:
                self.witnesses[self.new_name(name)] = self.new_key(vkey, TYPE_WITNESS)
            case ["group", name, needed, *members] if members:
                self.add_group(name, needed, members)
            case ["quorum", name]:
                self.set_quorum(name)
            case [word, *_] if not word.startswith("#"):
                forms = [POLICY_FORMS[word]] if word in POLICY_FORMS else POLICY_FORMS.values()
                raise Malformed(f"expected {' or '.join(forms)}")

    def new_key(self, vkey: str, kind: int) -> Key:
        key = read_key(vkey, kind)
        if key.public in [other.public for other in (*self.logs, *self.witnesses.values())]:
            raise Malformed("this key stands on an earlier line already")
        return key

    def new_name(self, name: str) -> str:
        if name in self.names:
            raise Malformed(f"the name {name} is taken")
        self.names.add(name)
        return name

    def add_group(self, name: str, needed: str, members: list[str]) -> None:
        for place, member in enumerate(members):
            self.check_defined(member)
            if member in self.grouped or member in members[:place]:
                raise Malformed(f"{member} cannot be a member here, or is one already")
        count = {"all": str(len(members)), "any": "1"}.get(needed, needed)
        if not POLICY_COUNT.fullmatch(count) or int(count) > len(members):
            raise Malformed(f"expected all, any, or a number from 1 to {len(members)}")
        self.groups.append(Group(self.new_name(name), int(count), tuple(members)))
        self.grouped.update(members)

    def set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            raise Malformed("the policy has a quorum already")
        self.check_defined(name)
        self.quorum = name

    def check_defined(self, name: str) -> None:
        if name not in self.names:
            raise Malformed(f"{name} is not defined on an earlier line")


# --- The whole export ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """What the server states about the book: its size, its last line's hash, its checkpoint."""

    size: int
    head_hash: str
    note: str | None = field(default=None, compare=False)


@dataclass
class Verification:
    """
    One run over an export, and what it found.

    With a checkpoint of the log, the policy says whose word is taken; without a key in it, that
    of the key which the genesis names.
    """

    head: Head | None = None
    given: dict[str, Balances] | None = None
    checkpoint: Checkpoint | None = None
    policy: Policy = field(default_factory=Policy)
    leaves: bytearray = field(default_factory=bytearray)
    book: Book = field(default_factory=Book)
    hash_at_head: str = ""
    at_head: dict[str, Balances] | None = None
    is_whole: bool = False
    memory: Memory = field(default_factory=lambda: Memory(None))
    remembered: Checkpoint | None = None
    endorsement: Endorsement | None = None

    def run(self, blocks: Iterable[bytes]) -> Finding:
        """Verify blocks of whole lines, each ended by LF."""
        try:
            for block in blocks:
                *lines, rest = block.split(b"\n")
                self.add(lines)
                if rest:
                    where = f"line {self.book.size - self.book.start + 1}"
                    reason = f"{where}: it does not end with LF within its limit"
                    raise Finding("MALFORMED", self.book.size, reason)
            self.is_whole = True
            self.check_head()
            self.check_checkpoint()
            self.check_balances()
            self.check_age()
        except Finding as finding:
            return finding
        return Finding("VALID", None, "")

    def recall(self, options: argparse.Namespace) -> None:
        """Remember what was good of the log of the checkpoint, if there is one."""
        if self.checkpoint:
            self.memory = memory_of(options)
            self.remembered = self.memory.recall(self.checkpoint.origin)

    def run_from_attestation(self, file: BinaryIO) -> Finding:
        """Verify an export that begins at an attestation, whose sums are taken for granted."""
        try:
            self.book, lines = read_attested(file)
        except Finding as finding:
            return finding
        broken_trust = self.book.broken_trust()
        if broken_trust:
            start = self.book.start
            return Finding("TAMPERED", start, f"entry {start}: {broken_trust}")
        return self.run(itertools.chain(lines, blocks_of(file)))

    def add(self, lines: list[bytes]) -> None:
        """Add lines, and remember how the book stood at the size of the head."""
        before_head = self.head.size - self.book.size if self.head else 0
        for part in (lines[: max(before_head, 0)], lines[max(before_head, 0) :]):
            add_lines(self.book, part)
            if self.checkpoint:
                self.leaves += b"".join(map(leaf_hash, part))
            if self.head and part and self.book.size == self.head.size:
                self.hash_at_head, self.at_head = self.book.last_hash, self.balances()

    def balances(self) -> dict[str, Balances]:
        return {side: self.book.balances(side) for side in ("places", "purposes")}

    def check_head(self) -> None:
        size = self.book.size
        if not size:
            raise Finding("INCOMPLETE", None, "the export is empty: there is not even a genesis")
        if self.head and size < self.head.size:
            reason = f"the export ends after {size} of {self.head.size} entries"
            raise Finding("INCOMPLETE", None, reason)
        if self.head and self.book.start >= self.head.size:
            raise Finding("INCOMPLETE", None, "the export begins after the stated head")
        if self.head and self.hash_at_head != self.head.head_hash:
            last = self.head.size - 1
            reason = f"entry {last}: the stated head has another hash for it"
            raise Finding("TAMPERED", last, reason)

    def check_checkpoint(self) -> None:
        """Compare the tree of the signed entries; those that came since are not signed yet."""
        checkpoint = self.checkpoint
        if not checkpoint:
            return
        assert self.book.first
        self.endorsement = self.policy.check(checkpoint, self.book)
        check_same_size(checkpoint, self.remembered)
        if self.book.size < checkpoint.size:
            reason = f"the export ends after {self.book.size} of {checkpoint.size} signed entries"
            raise Finding("INCOMPLETE", None, reason)
        if self.root_at(checkpoint.size) != checkpoint.root:
            reason = f"the first {checkpoint.size} entries are not those that were signed"
            raise Finding("TAMPERED", None, reason)
        check_organisation(checkpoint, self.book.first)
        if self.remembered:
            self.check_remembered(checkpoint, self.remembered)

    def root_at(self, size: int) -> bytes:
        return root_of(bytes(self.leaves[: size * HASH_BYTES]))

    def check_remembered(self, checkpoint: Checkpoint, remembered: Checkpoint) -> None:
        """Compare with what was good before. Entries that are not signed yet prove no fork."""
        size = remembered.size
        if size > self.book.size or self.root_at(size) == remembered.root:
            return
        if size > checkpoint.size:
            reason = f"the first {size} entries are not those that you verified before"
            raise Finding("TAMPERED", None, reason)
        raise Finding("FORK", None, other_beginning(checkpoint.size, size))

    def check_age(self) -> None:
        """Raise `Finding` if all is right, but was signed before something that is known."""
        if self.endorsement:
            self.policy.check_age(self.endorsement)
        if self.remembered and self.checkpoint and self.checkpoint.size < self.remembered.size:
            sizes = (
                f"{self.checkpoint.size} entries, and you verified {self.remembered.size} before"
            )
            raise Finding("STALE", None, f"the checkpoint is an old one: it speaks of {sizes}")

    def check_balances(self) -> None:
        """Compare at the stated head, since the book may have grown after it was stated."""
        for side, given in (self.given or {}).items():
            counted = (self.at_head or self.balances())[side]
            for account, currency in sorted(given.keys() | counted.keys()):
                ours = counted.get((account, currency), 0)
                theirs = given.get((account, currency), 0)
                if ours != theirs:
                    reason = (
                        f"the balance of {account} is {ours} {currency} by the entries, "
                        f"but was given as {theirs}"
                    )
                    raise Finding("TAMPERED", None, reason)

    def report(self, finding: Finding) -> dict[str, Any]:
        """The verdict as one JSON object; hash and balances only of a book that was read whole."""
        book = self.book
        report = told(finding) | {
            "entries": book.size - book.start,
            "head_hash": book.last_hash or None if self.is_whole else None,
            "organisation_id": book.first.organisation_id if book.first else None,
            "book": book.first.book if book.first else None,
            "balances": {
                side: [
                    {"account": account, "currency": currency, "amount": amount}
                    for (account, currency), amount in (balances if self.is_whole else {}).items()
                ]
                for side, balances in self.balances().items()
            },
            "rotations": [rotation.shown() for rotation in book.rotations],
        }
        if book.start:
            report["trusted"] = {"entries": book.start, "head_hash": book.trusted_hash}
        if self.checkpoint:
            report["checkpoint"] = self.policy.shown(self.checkpoint, self.endorsement)
            report["remembered"] = self.remembered and shown(self.remembered)
        return report


# --- Reading files and URLs ----------------------------------------------------------------------


@contextlib.contextmanager
def opened(source: str) -> Iterator[BinaryIO]:
    """Open a file, an http(s) URL or `-` (standard input)."""
    try:
        if source == "-":
            yield sys.stdin.buffer
        elif re.match("https?://", source):
            request = urllib.request.Request(source, headers={"User-Agent": "almoner-verify/1"})  # noqa: S310 - http and https only, by the line above
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
                yield io.BufferedReader(response, 1 << 17)
        else:
            with open(source, "rb") as file:
                yield file
    except (OSError, http.client.HTTPException, ValueError) as error:
        is_missing = isinstance(error, FileNotFoundError)
        if isinstance(error, urllib.error.HTTPError):
            error.close()
            is_missing = error.code == GONE
        kind = Missing if is_missing else Unreachable
        raise kind(f"{source} could not be read: {error}") from None


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    """Read blocks that end where a line ends, but for one that the limit of lines cuts off."""
    while block := file.read(BLOCK_BYTES):
        yield block if block.endswith(b"\n") else block + file.readline(LINE_BYTES_MAX + 2)


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(LINE_BYTES_MAX + 2):
        yield line


def read_document(source: str) -> Any:
    with opened(source) as file:
        content = file.read(DOCUMENT_BYTES_MAX)
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise Finding("MALFORMED", None, f"{source} is not JSON") from None


def read_head(source: str) -> Head:
    document = read_document(source)
    match document:
        case {"size": int(size), "head_hash": str(head_hash)} if is_integer(size) and size > 0:
            note = document.get("checkpoint")
            return Head(size, head_hash, note if isinstance(note, str) else None)
    raise Finding("MALFORMED", None, f"{source} does not state a size and a head_hash")


def read_signed(source: str) -> Checkpoint:
    with opened(source) as file:
        return checkpoint_in(file.read(NOTE_BYTES_MAX + 1), source)


def checkpoint_in(note: bytes, source: str) -> Checkpoint:
    try:
        return read_checkpoint(note)
    except Malformed as error:
        raise Finding("MALFORMED", None, f"{source}: {error}") from None


def read_balances(source: str) -> dict[str, Balances]:
    document = read_document(source)
    match document:
        case {"places": list(places), "purposes": list(purposes)}:
            return {"places": rows_of(places, source), "purposes": rows_of(purposes, source)}
    raise Finding("MALFORMED", None, f"{source} does not list places and purposes")


def is_integer(value: int) -> bool:
    return type(value) is int and abs(value) <= INTEGER_MAX


def rows_of(rows: list[Any], source: str) -> Balances:
    balances: Balances = {}
    for row in rows:
        match row:
            case {"account": str(account), "currency": str(currency), "amount": int(amount)} if (
                is_integer(amount) and (account, currency) not in balances
            ):
                balances[account, currency] = amount
            case _:
                raise Finding("MALFORMED", None, f"{source} has a row that is no balance")
    return balances


def read_settled(head_source: str, balances_source: str) -> tuple[Head, dict[str, Balances]]:
    """Read the balances between two equal heads, so that both speak of one size of the book."""
    head = read_head(head_source)
    for _ in range(HEAD_ATTEMPTS_MAX):
        balances = read_balances(balances_source)
        before, head = head, read_head(head_source)
        if head == before:
            return head, balances
    raise Unreachable("the book grew each time while its balances were read; try again")


# --- What was good before ------------------------------------------------------------------------


@dataclass(frozen=True)
class Memory:
    """The last good checkpoint of each log, a note a file; without a folder, nothing is kept."""

    folder: Path | None

    def path_of(self, origin: str) -> Path | None:
        return self.folder and self.folder / f"{sha256(origin.encode()).hexdigest()}.note"

    def recall(self, origin: str) -> Checkpoint | None:
        path = self.path_of(origin)
        try:
            remembered = read_checkpoint(path.read_bytes()) if path else None
            if remembered and remembered.origin != origin:
                raise Malformed("it is of another log")
        except FileNotFoundError:
            return None
        except (OSError, Malformed) as error:
            warn(f"what was verified of {origin} before is not compared, since {path}: {error}")
            return None
        return remembered

    def keep(self, checkpoint: Checkpoint) -> None:
        path = self.path_of(checkpoint.origin)
        if not path:
            return
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, note_of(checkpoint))
        except OSError as error:
            warn(f"this checkpoint will not be remembered (--no-state asks for none): {error}")


def replace_file(path: Path, text: str) -> None:
    """Write a file whole, or leave the one that is there."""
    draft = path.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def state_folder() -> Path | None:
    """Where a user's programs keep their state, by the XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state if os.path.isabs(state) else os.path.expanduser("~/.local/state"))
    if not folder.is_absolute():
        warn("you have no home folder, so nothing is remembered (--state names another)")
        return None
    return folder / "almoner-verify"


def check_same_size(one: Checkpoint, other: Checkpoint | None) -> None:
    if other and one.size == other.size and one.root != other.root:
        reason = f"two books of {one.size} entries were signed, each under its own root"
        raise Finding("FORK", None, reason)


# --- The command ---------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    if reason := refusal(options):
        options.refuse(reason)
    started = time.monotonic()
    try:
        report, sentences = options.run(options)
    except Unreachable as error:
        print(f"No verdict was reached: {printable(str(error))}.", file=sys.stderr)
        return EXIT_NO_VERDICT
    report["elapsed_seconds"] = round(time.monotonic() - started, 3)
    if options.json:
        say(json.dumps(report))
    elif not options.quiet:
        say(printable("\n".join(sentences)))
    return EXIT_CODES[report["verdict"]]


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="almoner-verify", description="Verify an Almoner book, or what was signed of one."
    )
    commands = result.add_subparsers(dest="command", required=True)
    add_export(commands.add_parser("export", help="verify an NDJSON export"))
    organisation = commands.add_parser("organisation", help="fetch and verify a public book")
    organisation.add_argument("source", metavar="URL", type=public_url)
    log = commands.add_parser("log", help="verify a whole log: entries, tiles, checkpoint")
    log.add_argument("source", metavar="FOLDER|URL", help="what its `checkpoint` stands in")
    receipt = commands.add_parser("receipt", help="verify one entry by its .tlog-proof")
    receipt.add_argument("source", metavar="FILE|URL|-")
    receipt.add_argument("--opening", metavar="FILE", help="what personal details it commits to")
    consistency = commands.add_parser(
        "consistency", help="find out whether two checkpoints speak of one book"
    )
    consistency.add_argument("old", metavar="OLD", help="FILE|URL of one checkpoint")
    consistency.add_argument("new", metavar="NEW", help="FILE|URL of the other")
    consistency.add_argument("--export", metavar="FILE|URL|-", help="the book, if sizes differ")
    runs = {"log": run_log, "receipt": run_receipt, "consistency": run_consistency}
    for name, command in commands.choices.items():
        command.set_defaults(run=runs.get(name, run_book), refuse=command.error, max_age=None)
        add_policy(command)
        if name != "consistency":
            add_memory(command)
        command.add_argument("--evidence", metavar="FILE", help="where to write a fork")
        command.add_argument("--json", action="store_true", help="print one JSON object")
        command.add_argument("--quiet", action="store_true", help="only set the exit code")
    return result


def add_export(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="FILE|URL|-")
    command.add_argument("--balances", metavar="FILE|URL", help="compare these balances")
    command.add_argument("--head", metavar="FILE|URL", help="compare this head")
    beginning = command.add_mutually_exclusive_group()
    beginning.add_argument("--checkpoint", metavar="FILE|URL", help="compare what was signed")
    beginning.add_argument(
        "--from-attestation",
        action="store_true",
        help="the export may begin at an attestation of balances: trust all before it",
    )


def add_policy(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--policy",
        metavar="FILE",
        type=policy_file,
        help="whose word you take, as a policy file (C2SP tlog-policy), instead of these three:",
    )
    command.add_argument(
        "--key",
        metavar="VKEY",
        type=log_key,
        action="append",
        default=[],
        help="the log's key, as you know it; may be repeated; where a whole book is read and none "
        "is given, the one that its genesis names is believed",
    )
    command.add_argument(
        "--witness",
        metavar="VKEY",
        type=witness_key,
        action="append",
        default=[],
        help="a witness whose word you take; may be repeated",
    )
    command.add_argument(
        "--witnesses", metavar="N", type=count, help="how many of them must have signed (all)"
    )


def add_memory(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--max-age", metavar="SECONDS", type=count, help="how long ago witnesses may have signed"
    )
    state = command.add_mutually_exclusive_group()
    state.add_argument(
        "--state",
        metavar="FOLDER",
        type=Path,
        help="where the last good checkpoint of each log is remembered "
        "($XDG_STATE_HOME/almoner-verify, or ~/.local/state/almoner-verify)",
    )
    state.add_argument("--no-state", action="store_true", help="remember and compare nothing")


def refusal(options: argparse.Namespace) -> str:
    """Why options cannot be used together; empty if they can."""
    policy, count = options.policy, options.witnesses
    if policy and (options.key or options.witness or count is not None):
        return "--policy says whose word is taken: leave out --key, --witness and --witnesses"
    knows_log = policy.logs if policy else options.key
    if options.command in ("receipt", "consistency") and not knows_log:
        return "say whose word you take: give the log's --key, or a --policy with a line for it"
    asks_nobody = policy.is_met_by(()) if policy else not options.witness or count == 0
    if options.max_age is not None and asks_nobody:
        return "--max-age is about witnesses: give --witness, or a --policy whose quorum names some"
    if options.max_age is not None and options.command == "export" and not options.checkpoint:
        return "--max-age is about a checkpoint: give --checkpoint"
    return ""


def policy_file(path: str) -> Policy:
    try:
        return read_policy(Path(path).read_bytes())
    except (OSError, Malformed) as error:
        raise argparse.ArgumentTypeError(printable(f"{path}: {error}")) from None


def log_key(text: str) -> Key:
    return key_of(text, TYPE_LOG)


def witness_key(text: str) -> Key:
    return key_of(text, TYPE_WITNESS)


def key_of(text: str, kind: int) -> Key:
    try:
        return read_key(text, kind)
    except Malformed as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def count(text: str) -> int:
    try:
        return read_size(text)
    except Malformed:
        raise argparse.ArgumentTypeError("expected how many: 0, 1, 2, …") from None


def memory_of(options: argparse.Namespace) -> Memory:
    return Memory(None if options.no_state else options.state or state_folder())


def policy_of(options: argparse.Namespace) -> Policy:
    """Whose word the options take. Raises `Finding`."""
    policy = options.policy or flat_policy(options.key, options.witness, options.witnesses)
    return replace(policy, age_max=options.max_age)


def flat_policy(logs: list[Key], witnesses: list[Key], count: int | None) -> Policy:
    """Take the word of so many of these witnesses, or of all."""
    named = {str(place): key for place, key in enumerate(witnesses)}
    needed = len(named) if count is None else count
    try:
        if needed > len(named):
            raise Malformed("the policy asks for more witnesses than it names")
        return Policy(tuple(logs), named, (Group("so many", needed, tuple(named)),), "so many")
    except Malformed as error:
        raise Finding("MALFORMED", None, str(error)) from None


def public_url(url: str) -> str:
    """Turn an organisation's page or API address into its public API address."""
    match = re.match(r"(https?://[^/?#]+)(?:/o|/v1/public/organisations)/([^/?#]+)", url)
    if not match:
        raise argparse.ArgumentTypeError("expected http(s)://host/o/<slug>")
    return f"{match[1]}/v1/public/organisations/{match[2]}"


def run_book(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    verification = Verification()
    return concluded(verification, verify(verification, options), options)


def verify(verification: Verification, options: argparse.Namespace) -> Finding:
    source = options.source
    try:
        verification.policy = policy_of(options)
        if options.command == "organisation":
            read_stated(verification, source)
            source = f"{source}/ledger/export?format=ndjson"
        else:
            verification.head = read_head(options.head) if options.head else None
            verification.given = read_balances(options.balances) if options.balances else None
            if options.checkpoint:
                verification.checkpoint = read_signed(options.checkpoint)
        verification.recall(options)
    except Finding as finding:
        return finding
    with opened(source) as file:
        if options.command == "export" and options.from_attestation:
            return verification.run_from_attestation(file)
        return verification.run(blocks_of(file))


def read_stated(verification: Verification, source: str) -> None:
    """Read what an organisation states of its book: who is to be believed must have signed it."""
    settled = read_settled(f"{source}/ledger/head", f"{source}/balances")
    verification.head, verification.given = settled
    policy, note = verification.policy, verification.head.note
    if note:
        verification.checkpoint = checkpoint_in(note.encode(), "the checkpoint")
    elif policy.logs or policy.witnesses:
        raise Finding("INCOMPLETE", None, "the organisation states no checkpoint, so nobody signed")


def concluded(
    verification: Verification, finding: Finding, options: argparse.Namespace
) -> tuple[dict[str, Any], list[str]]:
    """Remember what is good, write a fork down, and report."""
    checkpoint, remembered = verification.checkpoint, verification.remembered
    if finding.verdict == "VALID" and checkpoint:
        verification.memory.keep(checkpoint)
    if finding.verdict == "FORK" and checkpoint and remembered:
        write_evidence(options.evidence, remembered, checkpoint)
    report = verification.report(finding)
    return report, sentences(report, verification)


def run_log(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    verification = Verification()
    try:
        verification.policy = policy_of(options)
        checkpoint = checkpoint_in(part_of(options.source, "checkpoint"), "the checkpoint")
        verification.checkpoint = checkpoint
        verification.recall(options)
        finding = verification.run(bundles_of(options.source, checkpoint.size))
        if finding.verdict in ("VALID", "STALE"):
            check_tiles(options.source, bytes(verification.leaves))
    except Finding as found:
        finding = found
    return concluded(verification, finding, options)


def bundles_of(source: str, size: int) -> Iterator[bytes]:
    """Return the entries of a log, a bundle at a time, as an export has them."""
    for start in range(0, size, WIDTH):
        width = min(WIDTH, size - start)
        path = path_of("entries", start // WIDTH, width)
        bundle, lines = part_of(source, path), []
        while bundle:
            length = int.from_bytes(bundle[:2]) + 2
            if len(bundle) < length:
                raise Finding("MALFORMED", None, f"{path} ends within an entry")
            lines.append(bundle[2:length] + b"\n")
            bundle = bundle[length:]
        if len(lines) != width:
            raise Finding("MALFORMED", None, f"{path} has {len(lines)} entries")
        yield b"".join(lines)


def check_tiles(source: str, hashes: bytes) -> None:
    """Compare the tiles of every level with what the entries hash to. Raises `Finding`."""
    level = 0
    while hashes:
        tiles = [hashes[at : at + TILE_BYTES] for at in range(0, len(hashes), TILE_BYTES)]
        for number, ours in enumerate(tiles):
            path = path_of(str(level), number, len(ours) // HASH_BYTES)
            if part_of(source, path) != ours:
                raise Finding("TAMPERED", None, f"{path} does not follow from the entries")
        hashes = b"".join(root_of(tile) for tile in tiles if len(tile) == TILE_BYTES)
        level += 1


def path_of(level: str, number: int, width: int) -> str:
    """The path of a tile below its log (C2SP tlog-tiles)."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def part_of(source: str, path: str) -> bytes:
    try:
        with opened(f"{source.rstrip('/')}/{path}") as file:
            return file.read(DOCUMENT_BYTES_MAX)
    except Missing:
        raise Finding("INCOMPLETE", None, f"{path} is missing") from None


def run_receipt(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    proof = Proof()
    try:
        proof.policy = policy_of(options)
        with opened(options.source) as file:
            content = file.read(NOTE_BYTES_MAX * 2)
        proof.memory = memory_of(options)
        proof.check(receipt_in(content), options.opening)
        finding = Finding("VALID", None, "")
    except Finding as found:
        finding = found
    checkpoint, remembered = proof.checkpoint, proof.remembered
    if finding.verdict == "VALID" and checkpoint and not remembered:
        proof.memory.keep(checkpoint)
    if finding.verdict == "FORK" and checkpoint and remembered:
        write_evidence(options.evidence, remembered, checkpoint)
    return proof.report(finding), [*headline(finding), *proof.sentences()]


def receipt_in(content: bytes) -> Receipt:
    try:
        return read_receipt(content)
    except Malformed as error:
        raise Finding("MALFORMED", None, str(error)) from None


@dataclass
class Proof:
    """One receipt while it is checked, and what it proves."""

    policy: Policy = field(default_factory=Policy)
    memory: Memory = field(default_factory=lambda: Memory(None))
    checkpoint: Checkpoint | None = None
    remembered: Checkpoint | None = None
    endorsement: Endorsement | None = None
    entry: Entry | None = None
    details: list[dict[str, str]] | None = None

    def check(self, receipt: Receipt, opening: str | None) -> None:
        """Raise `Finding` unless a receipt proves that its entry was signed."""
        checkpoint = self.checkpoint = receipt.checkpoint
        entry = entry_of(receipt)
        self.remembered = self.memory.recall(checkpoint.origin)
        endorsement = self.endorsement = self.policy.check(checkpoint)
        check_same_size(checkpoint, self.remembered)
        check_receipt(receipt, entry)
        if opening:
            with opened(opening) as file:
                self.details = opened_by(file.read(NOTE_BYTES_MAX), entry)
        self.entry = entry
        self.policy.check_age(endorsement)

    def report(self, finding: Finding) -> dict[str, Any]:
        return told(finding) | {
            "entry": self.entry._asdict() if self.entry else None,
            "details": self.details,
            "checkpoint": self.policy.shown(self.checkpoint, self.endorsement),
            "remembered": self.remembered and shown(self.remembered),
        }

    def sentences(self) -> list[str]:
        entry, checkpoint, endorsement = self.entry, self.checkpoint, self.endorsement
        if not (entry and checkpoint and endorsement):
            return []
        return [
            f"Entry {entry.sequence} of {entry.organisation_id}: {entry.operation}, "
            f"{entry.amount} {entry.currency} (smallest unit), debit {entry.debit}, "
            f"credit {entry.credit}, recorded at {entry.recorded_at}.",
            *(
                f"It commits to this {each['field']}: {each['value']}"
                for each in self.details or []
            ),
            "",
            f"This shows that the entry is one of the {checkpoint.size} that the key of "
            f"{checkpoint.origin} signed, word for word.",
            witnessed(self.policy, endorsement),
            "It does not show what the other entries say: verify the whole book for that.",
        ]


def run_consistency(options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    both: list[Checkpoint] = []
    endorsements: list[Endorsement | None] = []
    policy = Policy()
    try:
        policy = policy_of(options)
        for source in (options.old, options.new):
            both.append(read_signed(source))
            endorsements.append(policy.check(both[-1]))
        check_consistency(both, options.export)
        finding = Finding("VALID", None, "")
    except Finding as found:
        finding = found
    if finding.verdict == "FORK":
        write_evidence(options.evidence, *both)
    shown_both = map(policy.shown, both, [*endorsements, None])
    report = told(finding) | {"checkpoints": list(shown_both)}
    words = headline(finding)
    if finding.verdict == "VALID":
        words.append("Both checkpoints speak of one book: the smaller is its beginning.")
    return report, words


def check_consistency(both: list[Checkpoint], export: str | None) -> None:
    """Raise `Finding` unless both checkpoints can be of one book."""
    small, large = sorted(both, key=lambda checkpoint: checkpoint.size)
    check_same_size(small, large)
    if small.size == large.size:
        return
    if not export:
        raise Unreachable("the checkpoints have two sizes; to compare them, give an --export")
    with opened(export) as file:
        lines = itertools.islice(lines_of(file), large.size)
        leaves = b"".join(leaf_hash(line.removesuffix(b"\n")) for line in lines)
    if len(leaves) < large.size * HASH_BYTES:
        raise Finding("INCOMPLETE", None, f"the export has not all {large.size} signed entries")
    if root_of(leaves) != large.root:
        reason = f"the export is not the book of {large.size} entries that was signed"
        raise Finding("TAMPERED", None, reason)
    if root_of(leaves[: small.size * HASH_BYTES]) != small.root:
        raise Finding("FORK", None, other_beginning(large.size, small.size))


def other_beginning(size: int, before: int) -> str:
    beginning = f"does not begin with the {before} that were signed before"
    return f"the book of {size} entries {beginning}"


def write_evidence(path: str | None, *both: Checkpoint) -> None:
    """Write both notes of a fork down, if a file is named for them."""
    try:
        if path:
            Path(path).write_text("\n".join(map(note_of, both)), encoding="utf-8")
    except OSError as error:
        warn(f"the evidence was not written down: {error}")


def note_of(checkpoint: Checkpoint) -> str:
    lines = [
        f"— {name} {base64.b64encode(key_id + value).decode()}\n"
        for name, key_id, value in checkpoint.signatures
    ]
    return f"{checkpoint.text}\n{''.join(lines)}"


def told(finding: Finding) -> dict[str, Any]:
    return {
        "verdict": finding.verdict,
        "first_bad_sequence": finding.sequence,
        "reason": finding.reason,
    }


def headline(finding: Finding) -> list[str]:
    return [finding.verdict, *([f"Reason: {finding.reason}."] if finding.reason else [])]


def shown(checkpoint: Checkpoint) -> dict[str, Any]:
    root = base64.b64encode(checkpoint.root).decode()
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": root}


def witnessed(policy: Policy, endorsement: Endorsement) -> str:
    count = f"{len(endorsement.times)} of your {len(policy.witnesses)} witnesses signed it too"
    if not policy.is_met_by(()):
        return f"{count}: that is as many as you ask for."
    asked = f"{count}, and you ask for none" if policy.witnesses else "No witness was asked"
    return f"{asked}: it does not show that everybody is shown the same book."


def warn(sentence: str) -> None:
    print(f"Warning: {printable(sentence)}.", file=sys.stderr)


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The reader (`head`, a pager) has gone: the exit code still tells the verdict.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """Keep hostile text from driving the terminal."""
    return "".join(part if part.isprintable() or part == "\n" else "?" for part in text)


def sentences(report: dict[str, Any], verification: Verification) -> list[str]:
    book, first, last = verification.book, verification.book.first, verification.book.last
    lines = [report["verdict"] + (f" from entry {book.start} on" if book.start else "")]
    if report["reason"]:
        lines.append(f"Reason: {report['reason']}.")
    if report["first_bad_sequence"] is not None:
        lines.append(f"First bad sequence: {report['first_bad_sequence']}.")
    lines.append(f"Entries that agree: {report['entries']}.")
    if first and last:
        lines.append(f"Recorded from {first.recorded_at} to {last.recorded_at}.")
        lines.append(f"Organisation {first.organisation_id}, book {first.book}.")
    if report["head_hash"]:
        lines.append(f"Hash of the last line: {report['head_hash']}.")
        lines += totals(report["balances"])
    if report["verdict"] == "VALID":
        lines += ["", *scope(verification)]
    return lines + before(verification.memory, verification.remembered, report["verdict"])


def before(memory: Memory, remembered: Checkpoint | None, verdict: str) -> list[str]:
    """Say what is remembered, and where, to whoever has to look at it."""
    if not remembered:
        return []
    if verdict == "VALID":
        return [f"It goes on from the {remembered.size} signed entries that you verified before."]
    path = memory.path_of(remembered.origin)
    return [f"The {remembered.size} signed entries that you verified before are kept in {path}."]


def totals(balances: dict[str, list[dict[str, Any]]]) -> list[str]:
    sums: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"places": 0, "purposes": 0})
    for side, rows in balances.items():
        for row in rows:
            sums[row["currency"]][side] += row["amount"]
    return [
        f"{currency}, in its smallest unit: places {sides['places']}, purposes {sides['purposes']}."
        for currency, sides in sorted(sums.items())
    ]


def scope(verification: Verification) -> list[str]:
    return [
        "This shows that the file is one unbroken chain of canonical lines that keep the rules.",
        *trust(verification.book),
        "It contains the stated head."
        if verification.head
        else "No head was given, so a cut-off or edited end would not be noticed.",
        "The stated balances are the sums of the entries."
        if verification.given
        else "No balances were given to compare.",
        *signed(verification),
    ]


def signed(verification: Verification) -> list[str]:
    checkpoint, book = verification.checkpoint, verification.book
    endorsement, policy = verification.endorsement, verification.policy
    if checkpoint is None or endorsement is None:
        return ["It does not show that everybody is shown the same chain: no checkpoint was given."]
    whose = "your key" if policy.logs else "the key that its own genesis names"
    if len(endorsement.keys) > 1:
        whose = f"the key that took the place of {whose}"
    return [
        f"The first {checkpoint.size} entries are those that were signed as {checkpoint.origin}, "
        f"by {whose}; {book.size - checkpoint.size} came since.",
        *(
            f"Entry {rotation.sequence} names a new key that the old one did not sign: ask the "
            "organisation whether it lost the old one."
            for rotation in book.rotations
            if not rotation.signature
        ),
        witnessed(policy, endorsement),
    ]


def trust(book: Book) -> list[str]:
    if not book.start:
        return []
    return [
        f"It rests on what entry {book.start} attests of the {book.start} entries before it, "
        f"the last of which has the hash {book.trusted_hash}. They were not read: names that they "
        f"used and {book.unseen_reversed} entries of theirs that were reversed were not compared.",
    ]


if __name__ == "__main__":
    sys.exit(main())
