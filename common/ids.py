"""Ids: a prefix and a UUIDv7 in base32, so that they sort by time (TypeID 0.3)."""

from collections.abc import Callable
from functools import partial

from uuid_utils import uuid7

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [high + low for high in ALPHABET for low in ALPHABET]


def make_id(prefix: str) -> str:
    """Return a new id, `<prefix>_` and 26 characters of Crockford's base32."""
    number = uuid7().int
    pairs = [PAIRS[(number >> shift) & 0x3FF] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def new_id(prefix: str) -> Callable[[], str]:
    """Return a maker of ids, as the `default` of a model's field."""
    return partial(make_id, prefix)
