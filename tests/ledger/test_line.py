"""The line: one canonical form, the same in Python and in SQL, and RFC 8785 by its oracle."""

import json
import re
import time
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import line
from tests.ledger.pen import COLUMNS
from verifier import almoner_verify

FIELDS = {
    "amount": 5000,
    "book": "public",
    "credit": "fund:winter-shelter",
    "currency": "EUR",
    "debit": "stripe",
    "entry_id": "led_01jf0000000000000000000000",
    "metadata": {"a": "b", "inner": {"no": False}},
    "nonce": "stripe:acct_1:txn_1:charge",
    "occurred_at": "2026-11-21T03:35:00Z",
    "operation": "DONATION_RECEIVED",
    "organisation_id": "org_01jf0000000000000000000000",
    "prev_entry_hash": "sha256:" + "0" * 64,
    "recorded_at": "2026-11-21T03:35:02Z",
    "sequence": 12,
    "version": 1,
}
LINE = line.encode(FIELDS).encode()


def is_allowed(character):
    return unicodedata.category(character) not in line.FORBIDDEN and not line.LATER.match(character)


CHARACTERS = st.characters(exclude_categories=["Cc", "Cs", "Cn"]).filter(is_allowed)
TEXTS = st.text(CHARACTERS, max_size=20).map(lambda text: unicodedata.normalize("NFC", text))
TEXTS = TEXTS.filter(lambda text: all(map(is_allowed, text)))
INTEGERS = st.integers(-line.INTEGER_MAX, line.INTEGER_MAX)
NATURALS = st.integers(0, line.INTEGER_MAX)
KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
SCALARS = TEXTS | INTEGERS | st.booleans()
METADATA = st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS, max_size=4), max_size=5)
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(  # noqa: DTZ001
    lambda moment: moment.strftime(line.TIME_FORMAT)
)
HASHES = st.binary(min_size=32, max_size=32).map(lambda digest: f"sha256:{digest.hex()}")
ENTRIES = st.fixed_dictionaries(
    {
        **dict.fromkeys(line.TEXTS, TEXTS),
        "occurred_at": TIMES,
        "recorded_at": TIMES,
        "amount": NATURALS,
        "sequence": st.integers(1, line.INTEGER_MAX),
        "metadata": METADATA,
        "prev_entry_hash": HASHES,
        "version": st.just(1),
    }
)


@given(ENTRIES)
def test_a_line_is_rfc_8785_and_is_read_back(fields):
    text = line.encode(fields)

    assert text.encode() == rfc8785.dumps(fields)
    assert line.parse(text.encode()) == fields


@given(st.data(), ENTRIES)
def test_any_other_byte_is_refused_or_gives_another_hash(data, fields):
    text = line.encode(fields)
    raw = bytearray(text.encode())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != raw[position]))

    try:
        changed = line.parse(bytes(raw))
    except line.LineMalformed:
        return

    assert changed != fields
    assert line.encode(changed).encode() == bytes(raw)
    assert line.hash_of(bytes(raw).decode()) != line.hash_of(text)


@given(st.data())
def test_a_byte_more_or_less_is_refused_or_another_entry(data):
    position = data.draw(st.integers(0, len(LINE) - 1))
    shorter = LINE[:position] + LINE[position + 1 :]
    longer = LINE[:position] + bytes([data.draw(st.integers(0, 255))]) + LINE[position:]

    for changed in (shorter, longer):
        try:
            assert line.parse(changed) != FIELDS
        except line.LineMalformed:
            continue


VALUES = ", ".join(["%s"] * 14)
SQL = f"SELECT ledger_line_v1({VALUES}), ledger_line_v2({VALUES}), ledger_hash_v1(%s)"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None
)
@given(fields=ENTRIES)
def test_sql_writes_the_same_line(application_pen, fields):
    text = line.encode(fields)
    names = [name for name in COLUMNS if name not in ("entry_hash", "line")]
    values = {**fields, "metadata": json.dumps(fields["metadata"])}

    columns = list(map(values.get, names))

    [found] = application_pen.connection.execute(SQL, [*columns, *columns, text])

    assert found == (text, text, line.hash_of(text))


# What could mislead who takes a text for structure, or structure for a text.
TRICKY = st.text('":, {}[]\\a\u00e9\x7f\x85\t', max_size=6)
TRICKY_KEYS = st.text('ab_":, []{}\\A', max_size=3)
FLAT = st.dictionaries(TRICKY_KEYS | KEYS, TRICKY, max_size=5)
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | INTEGERS
    | st.floats(allow_nan=False, allow_infinity=False)
    | TRICKY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY_KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=500, deadline=None
)
@given(
    fields=ENTRIES,
    metadata=METADATA | FLAT | st.lists(FLAT, max_size=2) | ANY_JSON,
    text=TRICKY,
    name=st.sampled_from(line.TEXTS),
)
def test_the_fast_sql_says_what_the_slow_one_says(application_pen, fields, metadata, text, name):
    moments = ("occurred_at", "recorded_at")
    changed = {} if name in moments else {name: text}
    values = {**fields, **changed, "metadata": json.dumps(metadata)}
    columns = [values[each] for each in COLUMNS if each not in ("entry_hash", "line")]

    [found] = application_pen.connection.execute(SQL, [*columns, *columns, ""])

    assert found[0] == found[1]


def test_every_character_is_judged_alike_in_python_and_in_sql(application_pen):
    allowed = "".join(filter(is_allowed, map(chr, range(0x20, 0x110000))))
    single = [each for each in allowed if unicodedata.is_normalized("NFC", each)]
    for start in range(0, len(single), 4000):
        text = '"'.join(single[start : start + 4000])
        assert unicodedata.is_normalized("NFC", text)
        statement = "SELECT to_json(%s::text)::text, %s::text IS NFC NORMALIZED"
        [found] = application_pen.connection.execute(statement, [text, text])
        assert found == (line.encoder.encode(text), True)

    other = [each for each in allowed if not unicodedata.is_normalized("NFC", each)]
    statement = "SELECT count(*) FROM unnest(%s::text[]) AS each WHERE each IS NFC NORMALIZED"
    assert application_pen.connection.execute(statement, [other]).fetchone() == (0,)


def test_text_is_judged_by_unicode_14_like_everywhere():
    young = {code for code in range(0x110000) if line.LATER.match(chr(code))}
    ranges = almoner_verify.young_ranges()

    assert young == {code for first, last in ranges for code in range(first, last + 1)}
    with pytest.raises(line.LineMalformed, match="unassigned"):
        line.check_text("\U0001fae8", "nonce")


NO_JSON = "the line is not JSON in UTF-8"
NO_ENTRY = "the line does not have exactly the keys of an entry"
NOT_CANONICAL = "the line is not in its canonical form"
NO_INTEGERS = "amount and sequence are integers within 2^53 - 1, version is 1"
NO_TEXT = "a field that must be text is not"
NO_HASH = "prev_entry_hash is neither null nor a SHA-256"
NO_OBJECT = "metadata is not an object"
REWRITES = {
    b"": NO_JSON,
    b"\xff": NO_JSON,
    b"\xef\xbb\xbf" + LINE: NO_JSON,
    b"[" * 9000: NO_JSON,
    b"{}": NO_ENTRY,
    b"[]": NO_ENTRY,
    b"null": NO_ENTRY,
    b'"text"': NO_ENTRY,
    LINE.replace(b'"version":1', b'"version":1,"more":1'): NO_ENTRY,
    LINE.replace(b',"version":1', b""): NO_ENTRY,
    LINE + b"\n": NOT_CANONICAL,
    LINE.replace(b":", b": ", 1): NOT_CANONICAL,
    LINE.replace(b'{"amount":5000', b'{"amount":5000,"amount":5000'): NOT_CANONICAL,
    b'{"version":1,' + LINE[1:].replace(b',"version":1', b""): NOT_CANONICAL,
    LINE.replace(b"stripe", b"str\\u0069pe"): NOT_CANONICAL,
    LINE.replace(b"5000", b"-0"): NOT_CANONICAL,
    LINE.replace(b"5000", b"5000.0"): "5000.0 is not an integer",
    LINE.replace(b"5000", b"5e3"): "5e3 is not an integer",
    LINE.replace(b"5000", b"1" * 21 + b".5"): f"{'1' * 20} is not an integer",
    LINE.replace(b"5000", b"NaN"): "NaN is not an integer",
    LINE.replace(b"5000", b"-Infinity"): "-Infinity is not an integer",
    LINE.replace(b"5000", b"9007199254740992"): NO_INTEGERS,
    LINE.replace(b"5000", b"-9007199254740992"): NO_INTEGERS,
    LINE.replace(b"5000", b"1" * 5000): NO_JSON,
    LINE.replace(b"5000", b"true"): NO_INTEGERS,
    LINE.replace(b"5000", b'"5000"'): NO_INTEGERS,
    LINE.replace(b'"sequence":12', b'"sequence":true'): NO_INTEGERS,
    LINE.replace(b'"sequence":12', b'"sequence":9007199254740992'): NO_INTEGERS,
    LINE.replace(b'"sequence":12', b'"sequence":"12"'): NO_INTEGERS,
    LINE.replace(b'"version":1', b'"version":2'): NO_INTEGERS,
    LINE.replace(b'"version":1', b'"version":true'): NO_INTEGERS,
    LINE.replace(b'"debit":"stripe"', b'"debit":1'): NO_TEXT,
    LINE.replace(b'"debit":"stripe"', b'"debit":null'): NO_TEXT,
    LINE.replace(b'"prev_entry_hash":"sha256:', b'"prev_entry_hash":"sha1:'): NO_HASH,
    LINE.replace(b'"sha256:' + b"0" * 64 + b'"', b"1"): NO_HASH,
    LINE.replace(
        b'"sha256:' + b"0" * 64 + b'"', b"null"
    ): "prev_entry_hash is null outside the genesis",
    LINE.replace(b"sha256:0", b"sha256:A"): NO_HASH,
    LINE.replace(b'"metadata":{', b'"metadata":[{').replace(b',"nonce', b'],"nonce'): NO_OBJECT,
    LINE.replace(b'{"a":"b","inner":{"no":false}}', b"[]"): NO_OBJECT,
    LINE.replace(b"03:35:00Z", b"03:35:00.0Z"): "occurred_at is not a UTC time",
    LINE.replace(b"03:35:00Z", b"03:35:00+00:00"): "occurred_at is not a UTC time",
    LINE.replace(b"03:35:02Z", b"03:35:60Z"): "recorded_at is not a UTC time",
    LINE.replace(b"2026-11-21T03:35:02Z", b"2026-02-29T03:35:02Z"): "recorded_at is not a UTC",
    LINE.replace(b"2026-11-21T03:35:02Z", b"0000-01-01T00:00:00Z"): "recorded_at is not a UTC",
    LINE.replace(b"2026", "٢٠٢٦".encode()): "occurred_at is not a UTC time",
    LINE.replace(b"stripe:acct", b"stripe\\nacct"): "nonce has a control",
    LINE.replace(b"stripe:acct", b"stripe\x7facct"): "nonce has a control",
    LINE.replace(b"stripe:acct", b"stripe\\ud800acct"): "nonce has a control",
    LINE.replace(b"stripe:acct", b"stripe\\u0000acct"): "nonce has a control",
    LINE.replace(b"stripe:acct", "\uffff".encode()): "nonce has a control",
    LINE.replace(b"stripe:acct", "e\u0301".encode()): "nonce is not in Unicode's normal form",
    LINE.replace(b'"a":"b"', b'"A":"b"'): "a key of metadata",
    LINE.replace(b'"a":"b"', b'"":"b"'): "a key of metadata",
    LINE.replace(b'"no":false', b'"n o":false'): "a key of metadata",
    LINE.replace(b'"no":false', b'"no":null'): "metadata.inner.no is neither",
    LINE.replace(b'"no":false', b'"no":[]'): "metadata.inner.no is neither",
    LINE.replace(b'"no":false', b'"no":{}'): "metadata.inner.no is neither",
    LINE.replace(b'"a":"b"', b'"a":[1]'): "metadata.a is neither",
    LINE.replace(b'"a":"b"', b'"a":9007199254740992'): "metadata.a is beyond",
    LINE.replace(b'"a":"b"', b'"a":"\\t"'): "metadata.a has a control",
    LINE.replace(b'"a":"b"', b'"a":"' + b"x" * line.BYTES_MAX + b'"'): "the line is over 16,384",
}


@pytest.mark.parametrize(("raw", "reason"), REWRITES.items(), ids=REWRITES.values())
def test_bytes_that_are_no_line_are_refused_with_the_reason(raw, reason):
    assert raw != LINE

    with pytest.raises(line.LineMalformed, match=f"^{re.escape(reason)}"):
        line.parse(raw)


def test_a_negative_amount_is_in_the_profile_but_in_no_book():
    assert line.parse(LINE.replace(b"5000", b"-5"))["amount"] == -5


def test_the_genesis_stands_on_nothing():
    genesis = line.encode(FIELDS | {"sequence": 0, "prev_entry_hash": None}).encode()

    assert line.parse(genesis)["prev_entry_hash"] is None


@pytest.mark.parametrize("filler", ["x", "é", "🎁"])
def test_a_line_has_16384_bytes_and_not_one_more(filler):
    room = line.BYTES_MAX - len(line.encode(FIELDS | {"metadata": {"a": "", "b": ""}}).encode())
    count, rest = divmod(room, len(filler.encode()))
    fitting = FIELDS | {"metadata": {"a": filler * count, "b": "x" * rest}}
    larger = FIELDS | {"metadata": {"a": filler * count, "b": "x" * (rest + 1)}}

    assert len(line.encode(fitting).encode()) == line.BYTES_MAX
    assert line.parse(line.encode(fitting).encode()) == fitting
    with pytest.raises(line.LineMalformed, match="over 16,384 bytes"):
        line.encode(larger)


def test_metadata_keys_are_text():
    with pytest.raises(line.LineMalformed, match="a key of metadata"):
        line.check_metadata({1: "a"})


def test_times_are_written_in_utc():
    moment = datetime(2026, 11, 21, 5, 35, 2, tzinfo=timezone(timedelta(hours=2)))

    assert line.format_time(moment) == "2026-11-21T03:35:02Z"
    assert line.format_time(moment.astimezone(UTC)) == "2026-11-21T03:35:02Z"


def test_times_are_in_utc_wherever_the_machine_is(monkeypatch):
    moment = datetime(2026, 11, 21, 3, 35, 2, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert line.format_time(moment) == "2026-11-20T21:50:02Z"
    finally:
        monkeypatch.undo()
        time.tzset()
