"""
Commitments: a line binds itself to a personal detail without showing it. Pure.

    "commitment_<field>": "sha256:<hex of SHA-256(b"almoner-commit/v1\n" + salt + detail)>"

with 32 random bytes of salt, and the detail as canonical JSON (RFC 8785): `{"<field>":"<value>"}`.
Who has salt and value can show what was committed to; once both are erased, nobody can, and the
line stays as it is.
"""

import os
import unicodedata
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import NamedTuple

from ledger import line

PREFIX = "commitment_"
DOMAIN = b"almoner-commit/v1\n"
SALT_BYTES = 32


class Detail(NamedTuple):
    """One personal detail, and the salt that hides it."""

    field: str
    value: str
    salt: bytes

    @property
    def key(self) -> str:
        """Return where its commitment stands in an entry's metadata."""
        return PREFIX + self.field

    @property
    def commitment(self) -> str:
        """Return what the entry says of it."""
        content = line.encode_metadata({self.field: self.value}).encode()
        return "sha256:" + sha256(DOMAIN + self.salt + content).hexdigest()


def details_of(values: Mapping[str, str]) -> Iterator[Detail]:
    """Put each value under a fresh salt; what is empty, or no text of a line, is left out."""
    for field, value in values.items():
        detail = Detail(field, unicodedata.normalize("NFC", value), os.urandom(SALT_BYTES))
        try:
            line.check_text(detail.value, field)
        except line.LineMalformed:
            continue
        if value:
            yield detail
