"""JSON at the doors: one meaning, or refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.strict_json import DEPTH_MAX, JsonMalformed, parse

texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20
)


@given(values)
def test_what_is_storable_comes_back_as_it_went(value):
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_read_or_refused(raw):
    try:
        parse(raw)
    except JsonMalformed as error:
        assert str(error)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'"\x01"', "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a":"\xc3\x28"}', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b"\x00{}", "not JSON"),
        (b'{"a":NaN}', "not a number"),
        (b"-Infinity", "not a number"),
        (b'{"a":1,"a":2}', "twice"),
        (b'{"b":{"a":1,"\\u0061":1}}', "twice"),
        (b'"\\u0000"', "NUL"),
        (b'{"a\\u0000":1}', "NUL"),
        (b'{"a":[{"b":"\\u0000"}]}', "NUL"),
        (b'[[[{"\\u0000":1}]]]', "NUL"),
        (b'["\\ud800"]', "surrogate"),
        (b'["\\uDfFf"]', "surrogate"),
        (b'["\\uDC00\\uD800"]', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"1" * 5000, "digits"),
        (b"[" * 200_000, "deeper"),
        (b"[" * 33 + b"]" * 33, "deeper"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "deeper"),
    ],
)
def test_what_has_no_single_meaning_is_refused(raw, reason):
    with pytest.raises(JsonMalformed, match=reason):
        parse(raw)


def test_surrogates_in_pairs_are_one_character():
    assert parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_an_escaped_backslash_begins_no_other_escape():
    assert parse(b'["\\\\u0000", {"\\\\ud800": 1}]') == ["\\u0000", {"\\ud800": 1}]


def test_nesting_is_bounded():
    levels = DEPTH_MAX - 1

    assert parse(b"[" * levels + b"]" * levels)
    assert parse(b"[" * levels + b"1" + b"]" * levels)
    with pytest.raises(JsonMalformed, match="deeper"):
        parse(b"[" * DEPTH_MAX + b"1" + b"]" * DEPTH_MAX)
