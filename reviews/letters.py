"""Letters: names of several scripts and spellings as plain words; pure functions without Django."""

# ruff: noqa: RUF001 - letters that look alike are what this file is about.
import re
from unicodedata import category, combining, normalize

APOSTROPHES = re.compile("['’‘‛`´ʹʻʼʽʾʿـ]")

# What Unicode does not take apart, and the two scripts that a table turns into Latin letters
# honestly. Arabic and Hebrew leave vowels out, so theirs are compared as they are written.
LATIN = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h",
    "ŋ": "n", "ə": "a",
}  # fmt: skip
CYRILLIC = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
    "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y",
    "ь": "", "э": "e", "ю": "yu", "я": "ya", "і": "i", "є": "ye", "ґ": "g", "ј": "j", "љ": "lj",
    "њ": "nj", "ћ": "c", "ђ": "dj", "џ": "dz", "ѕ": "dz", "ә": "a", "ғ": "g", "қ": "k", "ң": "n",
    "ө": "o", "ұ": "u", "ү": "u", "һ": "h", "ҳ": "h", "ҷ": "j",
}  # fmt: skip
GREEK = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i",
    "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s",
    "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
}  # fmt: skip
ARABIC = {"ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك"}
LETTERS = str.maketrans({**LATIN, **CYRILLIC, **GREEK, **ARABIC})

# Spellings of about the same sound, of the ways in which languages write foreign names.
SOUNDS = {
    "tsch": "h", "shch": "š", "sch": "š", "tch": "h", "sh": "š", "ch": "h", "kh": "h", "zh": "š",
    "ph": "f", "gh": "g", "dh": "d", "th": "t", "ck": "k", "qu": "k", "ts": "s", "tz": "s",
    "ce": "sa", "ci": "si", "cy": "si", "c": "k", "q": "k", "w": "v", "x": "ks", "z": "s",
    "ou": "u", "oo": "u", "ue": "u", "oe": "u", "ae": "a", "ee": "i", "ie": "i", "iy": "i",
    "yi": "i", "ai": "ai", "ei": "ai", "ey": "ai", "ay": "ai", "o": "u", "e": "a", "y": "i",
    "j": "i",
}  # fmt: skip
SPELT = re.compile("|".join(sorted(SOUNDS, key=len, reverse=True)))
DOUBLED = re.compile(r"(.)\1+")


def words_of(name: str) -> list[str]:
    """
    Return the words of a name, without case, accents and punctuation, as far as we can in Latin.

    Characters that nobody sees are left out, so that none of them hides a name.
    """
    plain = normalize("NFKD", normalize("NFKD", APOSTROPHES.sub("", name)).casefold())
    # One sound in two letters, which the table would spell otherwise.
    bare = "".join(_seen(character) for character in plain).replace("ου", "ou")
    return normalize("NFC", bare.translate(LETTERS)).split()


def _seen(character: str) -> str:
    if character.isalnum():
        return character
    kind = category(character)
    if combining(character) or kind == "Cf":
        return ""
    # The vowels of Indian scripts are marks that matter.
    return character if kind.startswith("M") else " "


def sound_of(word: str) -> str:
    """Return what other spellings of about the same sound have in common."""
    # Yeltsin and Jelzin.
    begun = word[1:] if word.startswith(("ye", "je")) else word
    return DOUBLED.sub(r"\1", SPELT.sub(lambda spelt: SOUNDS[spelt[0]], begun))
