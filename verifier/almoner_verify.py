"""
Verify a whole Almoner book from its export, with nothing but Python's standard library.

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
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import io
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
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import blake2b, sha256
from operator import itemgetter
from typing import Any, BinaryIO, NamedTuple, NoReturn

LINE_BYTES_MAX = 16_384
DOCUMENT_BYTES_MAX = 16 * 1024 * 1024
INTEGER_MAX = 2**53 - 1
TIMEOUT_SECONDS = 30
HEAD_ATTEMPTS_MAX = 5
EXIT_CODES = {"VALID": 0, "INCOMPLETE": 12, "TAMPERED": 13, "MALFORMED": 16}
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


@lru_cache(maxsize=4096)
def side_of(account: str) -> str:
    if PLACE.fullmatch(account):
        return "places"
    return "purposes" if PURPOSE.fullmatch(account) else ""


@dataclass
class Book:
    """
    A book while it is read: `add` takes the lines in order and raises `Finding` at a bad one.

    Of every entry it keeps a digest of nonce and id and what a correction must mirror, no more.
    """

    size: int = 0
    first: Entry | None = None
    last: Entry | None = None
    last_hash: str = ""
    digests: set[bytes] = field(default_factory=set)
    reversed_sequences: set[int] = field(default_factory=set)
    amounts: array[int] = field(default_factory=lambda: array("q"))
    routes: array[int] = field(default_factory=lambda: array("L"))
    route_numbers: dict[tuple[str, str, str], int] = field(default_factory=dict)
    sums: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, line: bytes) -> None:
        try:
            entry = read_line(line)
        except Malformed as error:
            raise Finding("MALFORMED", self.size, f"line {self.size + 1}: {error}") from None
        line_hash = "sha256:" + sha256(line).hexdigest()
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
            or self.claim_names(entry)
        )

    def broken_identity(self, entry: Entry) -> str:
        first, last = self.first, self.last
        if first is None or last is None:
            return "" if is_genesis(entry) else "it is not a genesis entry"
        if entry.operation == "GENESIS":
            return "it is a second genesis"
        if entry.organisation_id != first.organisation_id or entry.book != first.book:
            return "it belongs to another organisation or book"
        if entry.recorded_at < last.recorded_at:
            return "it was recorded before its predecessor"
        return ""

    def broken_money(self, entry: Entry) -> str:
        if entry.amount < 0:
            return "its amount is negative"
        if entry.debit == entry.credit:
            return "it moves from an account to the same account"
        if entry.currency == NOTHING and entry.amount:
            return "it moves an amount of no currency"
        if entry.book == "public":
            for account in (entry.debit, entry.credit):
                is_allowed = entry.currency == NOTHING and account in NOWHERE
                if not side_of(account) and not is_allowed:
                    return "an account is neither a place nor a purpose"
        debited = abs(self.sums[entry.debit, entry.currency] + entry.amount)
        credited = abs(self.sums[entry.credit, entry.currency] - entry.amount)
        return "" if max(debited, credited) <= INTEGER_MAX else "a balance is out of range"

    def broken_correction(self, entry: Entry) -> str:
        if entry.operation != "CORRECTION":
            return ""
        target = entry.metadata.get("reverses")
        if type(target) is not int or not 1 <= target < self.size:
            return "it does not name the earlier entry that it reverses"
        if target in self.reversed_sequences:
            return "it reverses an entry that was reversed before"
        route = self.route_numbers.get((entry.credit, entry.debit, entry.currency))
        if self.routes[target] != route or self.amounts[target] != entry.amount:
            return "it does not mirror the entry that it reverses"
        return ""

    def claim_names(self, entry: Entry) -> str:
        nonce = digest("nonce", entry.nonce)
        entry_id = digest("entry_id", entry.entry_id)
        if nonce in self.digests:
            return "its nonce was used before"
        if entry_id in self.digests:
            return "its entry_id was used before"
        self.digests.update((nonce, entry_id))
        return ""

    def take(self, entry: Entry, line_hash: str) -> None:
        self.first = self.first or entry
        self.last = entry
        self.last_hash = line_hash
        self.size += 1
        route = (entry.debit, entry.credit, entry.currency)
        self.routes.append(self.route_numbers.setdefault(route, len(self.route_numbers)))
        self.amounts.append(entry.amount)
        self.sums[entry.debit, entry.currency] += entry.amount
        self.sums[entry.credit, entry.currency] -= entry.amount
        if entry.operation == "CORRECTION":
            self.reversed_sequences.add(entry.metadata["reverses"])

    def balances(self, side: str) -> Balances:
        """The balances of one side that are not zero, positive where money is there."""
        sign = 1 if side == "places" else -1
        return {
            (account, currency): sign * amount
            for (account, currency), amount in sorted(self.sums.items())
            if amount and currency != NOTHING and side_of(account) == side
        }


def is_genesis(entry: Entry) -> bool:
    named = (entry.operation, entry.amount, entry.currency, entry.nonce, entry.prev_entry_hash)
    sides = (entry.debit, entry.credit)
    return named == ("GENESIS", 0, NOTHING, "genesis", None) and sides == NOWHERE


def digest(kind: str, text: str) -> bytes:
    return blake2b(f"{kind} {text}".encode(), digest_size=16).digest()


# --- The whole export ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Head:
    """What the server states about the book: its size, and the hash of its last line."""

    size: int
    head_hash: str


@dataclass
class Verification:
    """One run over an export, and what it found."""

    head: Head | None = None
    given: dict[str, Balances] | None = None
    book: Book = field(default_factory=Book)
    hash_at_head: str = ""
    at_head: dict[str, Balances] | None = None
    is_whole: bool = False

    def run(self, lines: Iterator[bytes]) -> Finding:
        try:
            for line in lines:
                if not line.endswith(b"\n"):
                    reason = f"line {self.book.size + 1}: it does not end with LF within its limit"
                    raise Finding("MALFORMED", self.book.size, reason)
                self.book.add(line[:-1])
                if self.head and self.book.size == self.head.size:
                    self.hash_at_head, self.at_head = self.book.last_hash, self.balances()
            self.is_whole = True
            self.check_head()
            self.check_balances()
        except Finding as finding:
            return finding
        return Finding("VALID", None, "")

    def balances(self) -> dict[str, Balances]:
        return {side: self.book.balances(side) for side in ("places", "purposes")}

    def check_head(self) -> None:
        size = self.book.size
        if not size:
            raise Finding("INCOMPLETE", None, "the export is empty: there is not even a genesis")
        if self.head and size < self.head.size:
            reason = f"the export ends after {size} of {self.head.size} entries"
            raise Finding("INCOMPLETE", None, reason)
        if self.head and self.hash_at_head != self.head.head_hash:
            last = self.head.size - 1
            reason = f"entry {last}: the stated head has another hash for it"
            raise Finding("TAMPERED", last, reason)

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

    def report(self, finding: Finding, elapsed_seconds: float) -> dict[str, Any]:
        """The verdict as one JSON object; hash and balances only of a book that was read whole."""
        book = self.book
        return {
            "verdict": finding.verdict,
            "first_bad_sequence": finding.sequence,
            "reason": finding.reason,
            "entries": book.size,
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
            "elapsed_seconds": round(elapsed_seconds, 3),
        }


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
        raise Unreachable(f"{source} could not be read: {error}") from None


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
            return Head(size, head_hash)
    raise Finding("MALFORMED", None, f"{source} does not state a size and a head_hash")


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


# --- The command ---------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    started = time.monotonic()
    verification = Verification()
    try:
        finding = verify(verification, options)
    except Unreachable as error:
        print(f"No verdict was reached: {printable(str(error))}.", file=sys.stderr)
        return EXIT_NO_VERDICT
    report = verification.report(finding, time.monotonic() - started)
    if options.json:
        say(json.dumps(report))
    elif not options.quiet:
        say(printable(sentences(report, verification)))
    return EXIT_CODES[finding.verdict]


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="almoner-verify", description="Verify an Almoner book.")
    commands = result.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="verify an NDJSON export")
    export.add_argument("source", metavar="FILE|URL|-")
    export.add_argument("--balances", metavar="FILE|URL", help="compare these balances")
    export.add_argument("--head", metavar="FILE|URL", help="compare this head")
    organisation = commands.add_parser("organisation", help="fetch and verify a public book")
    organisation.add_argument("source", metavar="URL", type=public_url)
    for command in (export, organisation):
        command.add_argument("--json", action="store_true", help="print one JSON object")
        command.add_argument("--quiet", action="store_true", help="only set the exit code")
    return result


def public_url(url: str) -> str:
    """Turn an organisation's page or API address into its public API address."""
    match = re.match(r"(https?://[^/?#]+)(?:/o|/v1/public/organisations)/([^/?#]+)", url)
    if not match:
        raise argparse.ArgumentTypeError("expected http(s)://host/o/<slug>")
    return f"{match[1]}/v1/public/organisations/{match[2]}"


def verify(verification: Verification, options: argparse.Namespace) -> Finding:
    source = options.source
    try:
        if options.command == "organisation":
            settled = read_settled(f"{source}/ledger/head", f"{source}/balances")
            verification.head, verification.given = settled
            source = f"{source}/ledger/export?format=ndjson"
        else:
            verification.head = read_head(options.head) if options.head else None
            verification.given = read_balances(options.balances) if options.balances else None
    except Finding as finding:
        return finding
    with opened(source) as file:
        return verification.run(lines_of(file))


def say(text: str) -> None:
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # The reader (`head`, a pager) has gone: the exit code still tells the verdict.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """Keep hostile text from driving the terminal."""
    return "".join(part if part.isprintable() or part == "\n" else "?" for part in text)


def sentences(report: dict[str, Any], verification: Verification) -> str:
    first, last = verification.book.first, verification.book.last
    lines = [report["verdict"]]
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
    return "\n".join(lines)


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
        "It contains the stated head."
        if verification.head
        else "No head was given, so a cut-off or edited end would not be noticed.",
        "The stated balances are the sums of the entries."
        if verification.given
        else "No balances were given to compare.",
        "It does not show that everybody is shown the same chain: that needs signed checkpoints.",
    ]


if __name__ == "__main__":
    sys.exit(main())
