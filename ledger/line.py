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
TEXTS = (
    "book",
    "credit",
    "currency",
    "debit",
    "entry_id",
    "nonce",
    "occurred_at",
    "operation",
    "organisation_id",
    "recorded_at",
)
KEYS = {*TEXTS, "amount", "metadata", "prev_entry_hash", "sequence", "version"}
KEY = re.compile(r"[a-z0-9_]+\Z")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z", re.ASCII)
HASH = re.compile(r"sha256:[0-9a-f]{64}\Z")
PLAIN = re.compile(r"[\x20-\x7e]*\Z")
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
FORBIDDEN = frozenset({"Cc", "Cs", "Cn"})
# Text is judged by Unicode 14.0, whichever Python reads it, so that everybody agrees for ever:
# these code points came later (15.0 to 17.0). Assigned text keeps its normal form from then on.
YOUNG = """
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
LATER = re.compile(
    "[" + re.sub(r"\s*([0-9a-f]+)\s*", lambda code: chr(int(code[1], 16)), YOUNG) + "]"
)

encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
quote = json.encoder.encode_basestring


class LineMalformed(ValueError):
    """Something that no line may hold; the message says what and where."""


def encode(fields: Mapping[str, Any]) -> str:
    """
    Return the line of these fields, as text whose UTF-8 bytes are hashed and published.

    Trusts what `check_text` and `check_metadata` have let through. Raises `LineMalformed` over
    16,384 bytes.
    """
    previous = fields["prev_entry_hash"]
    line = (
        f'{{"amount":{fields["amount"]},"book":{quote(fields["book"])},'
        f'"credit":{quote(fields["credit"])},"currency":{quote(fields["currency"])},'
        f'"debit":{quote(fields["debit"])},"entry_id":{quote(fields["entry_id"])},'
        f'"metadata":{encode_metadata(fields["metadata"])},"nonce":{quote(fields["nonce"])},'
        f'"occurred_at":"{fields["occurred_at"]}","operation":{quote(fields["operation"])},'
        f'"organisation_id":{quote(fields["organisation_id"])},'
        f'"prev_entry_hash":{"null" if previous is None else quote(previous)},'
        f'"recorded_at":"{fields["recorded_at"]}","sequence":{fields["sequence"]},'
        f'"version":{VERSION}}}'
    )
    if len(line) * 4 > BYTES_MAX and len(line.encode()) > BYTES_MAX:
        raise LineMalformed(f"the entry is over {BYTES_MAX:,} bytes")
    return line


def encode_metadata(metadata: Mapping[str, Any]) -> str:
    """Return metadata as it stands in a line."""
    if not metadata:
        return "{}"
    pairs = [f'"{key}":{_encode_value(metadata[key])}' for key in sorted(metadata)]
    return "{" + ",".join(pairs) + "}"


def _encode_value(value: Any) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    return encode_metadata(value)


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
    if LATER.search(text) or any(unicodedata.category(each) in FORBIDDEN for each in text):
        raise LineMalformed(f"{name} has a control, surrogate or unassigned character")
    if not unicodedata.is_normalized("NFC", text):
        raise LineMalformed(f"{name} is not in Unicode's normal form NFC")


def check_metadata(metadata: Mapping[str, Any]) -> None:
    """Refuse metadata that is not strings, integers, booleans and one level of objects."""
    for key, value in metadata.items():
        _check_key(key)
        if not isinstance(value, str) and isinstance(value, Mapping):
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
    except LineMalformed:
        raise
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
        raise LineMalformed("amount and sequence are integers within 2^53 - 1, version is 1")
    previous = fields["prev_entry_hash"]
    if previous is None and fields["sequence"] != 0:
        raise LineMalformed("prev_entry_hash is null outside the genesis")
    if previous is not None and not (isinstance(previous, str) and HASH.match(previous)):
        raise LineMalformed("prev_entry_hash is neither null nor a SHA-256")
    if not isinstance(fields["metadata"], dict):
        raise LineMalformed("metadata is not an object")


def _are_integers(*values: object) -> bool:
    return all(type(value) is int and abs(value) <= INTEGER_MAX for value in values)


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
        raise LineMalformed(f"{name} is neither text, an integer nor a boolean")
    elif abs(value) > INTEGER_MAX:
        raise LineMalformed(f"{name} is beyond 2^53 - 1")


def _refuse_number(text: str) -> Iterable[str]:
    raise LineMalformed(f"{text[:20]} is not an integer")
