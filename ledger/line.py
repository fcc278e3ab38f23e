"""
The line of an entry: its canonical bytes and their hash. Pure, standard library only.

A line is RFC 8785 canonical JSON in a strict profile (DESIGN: "The line"): keys `[a-z0-9_]`,
strings NFC without control characters, integers within ±(2^53 − 1), no floats, `null` only as
the genesis' `prev_entry_hash`, whole UTC seconds, at most 16,384 bytes. Within the profile,
compact JSON with sorted keys *is* RFC 8785.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

VERSION = 1
BYTES_MAX = 16_384
INTEGER_MAX = 2**53 - 1
KEYS = frozenset(
    "amount book credit currency debit entry_id metadata nonce occurred_at operation "
    "organisation_id prev_entry_hash recorded_at sequence version".split()
)
TEXTS = tuple(
    "book credit currency debit entry_id nonce occurred_at operation organisation_id "
    "recorded_at".split()
)
KEY = re.compile(r"[a-z0-9_]+\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
HASH = re.compile(r"sha256:[0-9a-f]{64}\Z")
PLAIN = re.compile(r"[\x20-\x7e]*\Z")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FORBIDDEN = frozenset({"Cc", "Cs", "Cn"})

type_error = "is neither text, an integer nor a boolean"
encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


class LineMalformed(ValueError):
    """Something that no line may hold; the message says what and where."""


def encode(fields: Mapping[str, Any]) -> str:
    """
    Return the line of these fields, as text whose UTF-8 bytes are hashed and published.

    Trusts what `check_text` and `check_metadata` have let through. Raises `LineMalformed` over
    16,384 bytes.
    """
    line = encoder.encode(fields)
    if len(line) * 4 > BYTES_MAX and len(line.encode()) > BYTES_MAX:
        raise LineMalformed(f"the entry is over {BYTES_MAX:,} bytes")
    return line


def hash_of(line: str) -> str:
    """Return the hash that the next line carries as its `prev_entry_hash`."""
    return "sha256:" + sha256(line.encode()).hexdigest()


def format_time(moment: datetime) -> str:
    """Return a moment as lines have it: UTC, whole seconds."""
    return moment.astimezone(UTC).strftime(TIME_FORMAT)


def check_text(text: str, name: str) -> None:
    """Refuse text outside the profile: not NFC, with control or unassigned characters."""
    if PLAIN.match(text):
        return
    if any(unicodedata.category(character) in FORBIDDEN for character in text):
        raise LineMalformed(f"{name} has a control, surrogate or unassigned character")
    if not unicodedata.is_normalized("NFC", text):
        raise LineMalformed(f"{name} is not in Unicode's normal form NFC")


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Refuse metadata that is not strings, integers, booleans and one level of objects."""
    for key, value in metadata.items():
        _check_key(key)
        if isinstance(value, Mapping):
            for inner_key, inner in value.items():
                _check_key(inner_key)
                _check_scalar(inner, f"metadata.{key}.{inner_key}")
        else:
            _check_scalar(value, f"metadata.{key}")


def parse(line: bytes) -> dict[str, Any]:
    """
    Return the fields of published bytes that are a canonical line.

    Raises `LineMalformed` for everything else: duplicate or unsorted keys, white space,
    `1.0`, escapes that are not needed, foreign keys, types or times.
    """
    if len(line) > BYTES_MAX:
        raise LineMalformed(f"the line is over {BYTES_MAX:,} bytes")
    try:
        text = line.decode()
        fields = json.loads(text, parse_float=_refuse_number, parse_constant=_refuse_number)
    except (ValueError, RecursionError) as error:
        raise LineMalformed("the line is not JSON in UTF-8") from error
    if not isinstance(fields, dict) or fields.keys() != KEYS:
        raise LineMalformed("the line does not have exactly the keys of an entry")
    _check_fields(fields)
    if encoder.encode(fields) != text:
        raise LineMalformed("the line is not in its canonical form")
    return fields


def _check_fields(fields: dict[str, Any]) -> None:
    _check_shape(fields)
    for name in TEXTS:
        check_text(fields[name], name)
    for name in ("occurred_at", "recorded_at"):
        _check_time(fields[name], name)
    check_metadata(fields["metadata"])


def _check_shape(fields: dict[str, Any]) -> None:
    if not all(isinstance(fields[name], str) for name in TEXTS):
        raise LineMalformed("a field that must be text is not")
    if not _are_integers(fields["amount"], fields["sequence"]) or fields["version"] is not VERSION:
        raise LineMalformed("amount and sequence are integers from 0 to 2^53 - 1, version is 1")
    previous = fields["prev_entry_hash"]
    if previous is not None and not (isinstance(previous, str) and HASH.match(previous)):
        raise LineMalformed("prev_entry_hash is neither null nor a SHA-256")
    if not isinstance(fields["metadata"], dict):
        raise LineMalformed("metadata is not an object")


def _are_integers(*values: object) -> bool:
    return all(type(value) is int and 0 <= value <= INTEGER_MAX for value in values)


def _check_time(text: str, name: str) -> None:
    try:
        if not TIME.match(text):
            raise ValueError
        datetime.strptime(text, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise LineMalformed(f"{name} is not a UTC time in whole seconds") from error


def _check_key(key: object) -> None:
    if not (isinstance(key, str) and KEY.match(key)):
        raise LineMalformed("a key of metadata has other characters than a-z, 0-9 and _")


def _check_scalar(value: object, name: str) -> None:
    if isinstance(value, str):
        check_text(value, name)
    elif isinstance(value, bool):
        return
    elif not isinstance(value, int):
        raise LineMalformed(f"{name} {type_error}")
    elif abs(value) > INTEGER_MAX:
        raise LineMalformed(f"{name} is beyond 2^53 - 1")


def _refuse_number(text: str) -> Iterable[str]:
    raise LineMalformed(f"{text[:20]} is not an integer")
