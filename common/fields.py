"""Fields of API bodies that take one form only, so that nothing is guessed."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from common.money import AMOUNT_MAX, CURRENCIES

# What hides in a text or turns its direction round, so that people read something else.
DECEPTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+\Z")
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
URL_LENGTH_MAX = 2000


class StrictSerializer(serializers.Serializer[Any]):
    """A body whose every field is known: a misspelt optional one is refused, not ignored."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse what is not declared, then read the rest."""
        unknown = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        if unknown:
            error = ErrorDetail("There is no such field.", code="unknown_field")
            raise ValidationError({name: [error] for name in sorted(unknown)[:10]})
        return super().to_internal_value(data)


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": AMOUNT_MAX})
class MinorUnits(serializers.Field[int, Any, int, Any]):
    """Money to be moved: a JSON integer from 1 to 2^53 - 1 that counts minor units."""

    default_error_messages = {
        "invalid": "Write the amount in minor units (cents), as a JSON integer.",
        "out_of_range": f"The amount must be from 1 to {AMOUNT_MAX}.",
    }

    def to_internal_value(self, data: Any) -> int:
        """Return the integer; `1.0`, `"1"`, `1e3` and `true` are none."""
        if type(data) is not int:
            self.fail("invalid")
        if not 1 <= data <= AMOUNT_MAX:
            self.fail("out_of_range")
        return data


class Text(serializers.CharField):
    """One line of text in Unicode's normal form NFC, with nothing in it that cannot be seen."""

    default_error_messages = {
        "invalid": "Write a text.",
        "deceptive": "Control characters, line breaks and changes of direction cannot be taken.",
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the text; numbers are not made into one."""
        if not isinstance(data, str):
            self.fail("invalid")
        if DECEPTIVE.search(data):
            self.fail("deceptive")
        return unicodedata.normalize("NFC", data).strip()


class ExactText(serializers.CharField):
    """A text that is kept exactly as it is, or refused: nothing is trimmed or normalised."""

    default_error_messages = {
        "invalid": "Write a text.",
        "ill_formed": "It cannot be taken: {why}.",
    }

    def __init__(self, *, check: Callable[[str, str], None], **options: Any) -> None:
        """Keep what raises `ValueError` for a text (and its name) that cannot be taken."""
        super().__init__(trim_whitespace=False, **options)
        self.check = check

    def to_internal_value(self, data: Any) -> str:
        """Return the text."""
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            self.check(data, "it")
        except ValueError as error:
            self.fail("ill_formed", why=str(error))
        return data


@extend_schema_field({"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["EUR"]})
class Currency(Text):
    """An ISO 4217 code."""

    default_error_messages = {
        "lower_case": "Write the currency in upper case, such as EUR.",
        "unknown_currency": "This is not an ISO 4217 currency that payments can be made in.",
    }

    def to_internal_value(self, data: Any) -> str:
        """Return the code."""
        code = super().to_internal_value(data)
        if code not in CURRENCIES:
            self.fail("lower_case" if code.upper() in CURRENCIES else "unknown_currency")
        return code


@extend_schema_field({"type": "string", "format": "uri", "maxLength": URL_LENGTH_MAX})
class ReturnUrl(Text):
    """Where a browser is sent back to: https, or plain http to this machine in a demo."""

    default_error_messages = {
        "not_https": "Write a complete https:// URL.",
        "invalid_url": "This is not a URL that a browser can be sent to.",
    }

    def __init__(self, **options: Any) -> None:
        """Bound the length."""
        super().__init__(max_length=URL_LENGTH_MAX, **options)

    def to_internal_value(self, data: Any) -> str:
        """Return the URL; one with a name and password is none."""
        url = super().to_internal_value(data)
        parts = self._split(url)
        is_local = parts.scheme == "http" and parts.hostname in LOCAL_HOSTS
        if parts.scheme != "https" and (settings.IS_SECURE or not is_local):
            self.fail("not_https")
        return url

    def _split(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            is_usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            is_usable = False
        if not is_usable or not VISIBLE_ASCII.match(url) or "\\" in url:
            self.fail("invalid_url")
        return parts
