"""How visitors write numbers: the signs and digits of their locale, by CLDR (Babel)."""

import re
from dataclasses import dataclass
from functools import cache

from babel import Locale, negotiate_locale
from django.utils.translation.trans_real import parse_accept_lang_header

# Languages, and those of their regions that write numbers in another way.
NAMES = (
    "en en-at en-be en-ch en-cz en-de en-dk en-es en-fi en-fr en-hu en-id en-in en-it en-nl "
    "en-no en-pl en-pt en-ro en-se en-si en-sk en-za ar ar-bh ar-dj ar-dz ar-eg ar-er ar-il "
    "ar-iq ar-jo ar-km ar-kw ar-lb ar-ly ar-ma ar-mr ar-om ar-ps ar-qa ar-sa ar-sd ar-so ar-ss "
    "ar-sy ar-td ar-tn ar-ye bg bn ca cs da de de-at de-ch de-li el es es-419 es-br es-bz es-cr "
    "es-cu es-do es-gt es-hn es-mx es-ni es-pa es-pe es-pr es-sv es-us et fa fi fr fr-ca fr-lu "
    "he hi hr hu id is it it-ch ja ko lt lv mr ms ms-bn ms-id nb nl nn no pl pt pt-ao pt-ch "
    "pt-cv pt-gq pt-gw pt-lu pt-mo pt-mz pt-pt pt-st pt-tl ro ru sk sl sv ta ta-my ta-sg th tr "
    "uk ur ur-in vi zh"
)
LOCALES = tuple(NAMES.split())
DEFAULT = "en"
ASCII_DIGITS = "0123456789"
# The zeros of the numbering systems that are typed here; nine digits follow each in Unicode.
ZEROS = {
    "latn": "0",
    "arab": "\N{ARABIC-INDIC DIGIT ZERO}",
    "arabext": "\N{EXTENDED ARABIC-INDIC DIGIT ZERO}",
    "beng": "\N{BENGALI DIGIT ZERO}",
    "deva": "\N{DEVANAGARI DIGIT ZERO}",
    "tamldec": "\N{TAMIL DIGIT ZERO}",
    "thai": "\N{THAI DIGIT ZERO}",
}
DIGITS = {name: "".join(chr(ord(zero) + n) for n in range(10)) for name, zero in ZEROS.items()}
TO_ASCII = str.maketrans(
    {digit: str(value) for digits in DIGITS.values() for value, digit in enumerate(digits)}
)
SPACES = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"
APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"


@dataclass(frozen=True)
class Signs:
    """
    How numbers are written in one numbering system.

    Groups, counted from the right, have `primary` digits, then `secondary` ones. `group` is what
    is shown between them; any of `groups` may be typed.
    """

    digits: str
    decimal: str
    group: str
    primary: int
    secondary: int

    @property
    def groups(self) -> str:
        """Return what is typed for the sign between groups, which keyboards seldom have."""
        return next((alike for alike in (SPACES, APOSTROPHES) if self.group in alike), self.group)

    def read(self, text: str) -> tuple[int, str] | None:
        """Return the whole part and the decimals, as ASCII; None for what is not written so."""
        match = _pattern(self).fullmatch(text)
        if match is None:
            return None
        whole = "".join(digit for digit in match["whole"] if digit in self.digits)
        return int(whole), (match["part"] or "").translate(TO_ASCII)

    def write(self, whole: int, part: str = "") -> str:
        """Return a number as it is shown: its whole part in groups, then its decimals."""
        head = str(whole)
        groups: list[str] = []
        size = self.primary
        while head:
            head, groups = head[:-size], [head[-size:], *groups]
            size = self.secondary
        text = self.group.join(groups) + (self.decimal + part if part else "")
        return text.translate(str.maketrans(ASCII_DIGITS, self.digits))


@cache
def _pattern(signs: Signs) -> re.Pattern[str]:
    any_digit, more = f"[{signs.digits}]", f"[{signs.digits[1:]}]"
    grouped = (
        rf"{more}{any_digit}{{0,{signs.secondary - 1}}}"
        rf"(?P<group>[{re.escape(signs.groups)}])(?:{any_digit}{{{signs.secondary}}}(?P=group))*"
        rf"{any_digit}{{{signs.primary}}}"
    )
    plain = rf"{signs.digits[0]}|{more}{any_digit}*"
    return re.compile(
        rf"(?P<whole>{grouped}|{plain})(?:{re.escape(signs.decimal)}(?P<part>{any_digit}+))?"
    )


@cache
def signs_of(locale: str) -> tuple[Signs, ...]:
    """Return how numbers are written in a locale: as its pages show them, then with its others."""
    known = Locale.parse(locale, sep="-")
    shown, native = known.default_numbering_system, known.other_numbering_systems.get("native")
    systems = [name for name in (shown, native, "latn") if name in DIGITS]
    primary, secondary = known.decimal_formats[None].grouping
    plain = known.number_symbols["latn"]
    found = {}
    for name in systems:
        symbols = known.number_symbols.get(name, {})
        decimal = symbols.get("decimal") or plain["decimal"]
        group = symbols.get("group") or plain["group"]
        found[name] = Signs(DIGITS[name], decimal, group, primary, secondary)
    return tuple(found.values())


def locale_for(accept_language: str) -> str:
    """Return the locale in which a visitor reads numbers, by what their browser asks for."""
    wanted = [name for name, _ in parse_accept_lang_header(accept_language)]
    return negotiate_locale(wanted, LOCALES, sep="-") or DEFAULT
