"""Words of names: what each one weighs, and how alike two of them are; pure, without Django."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reviews.letters import sound_of, words_of

# What two words score that are the same, that only sound alike, and a word and its initial; what
# is below the least is no likeness at all.
SAME, SOUND, INITIAL, LEAST = 100, 90, 75, 75
# What two slips in one word leave at most.
TWO_SLIPS = 84
FULL, SHORT, SLIGHT = 10, 6, 2
SHORT_LETTERS = 2
# Titles, particles, and what says how a body is organised: they tell nobody apart.
SLIGHT_WORDS = frozenset((
    "mr", "mrs", "ms", "miss", "dr", "prof", "sir", "dame", "herr", "frau", "mme", "mlle", "sheikh",
    "shaykh", "sheik", "haji", "hajji", "mullah", "sayyid", "al", "el", "ul", "ibn", "bin", "ben",
    "bint", "abu", "umm", "van", "von", "der", "den", "de", "del", "della", "di", "da", "dos",
    "das", "du", "la", "le", "ltd", "limited", "llc", "inc", "incorporated", "corp", "corporation",
    "co", "company", "plc", "gmbh", "ag", "kg", "ohg", "ev", "sa", "sarl", "sas", "srl", "spa",
    "bv", "nv", "ab", "as", "oy", "aps", "ooo", "oao", "zao", "pao", "ao", "pjsc", "ojsc", "cjsc",
    "jsc", "llp", "lp", "fze", "fzco", "and", "und", "et", "of", "the",
))  # fmt: skip


class Word(NamedTuple):
    """One word of a name: its letters, its sound, what it weighs, and which letters it has."""

    text: str
    sound: str
    weight: int
    letters: int

    @property
    def is_strong(self) -> bool:
        """Tell whether it can tell people apart."""
        return self.weight > SLIGHT


def name_of(text: str, known: dict[str, Word] | None = None) -> tuple[Word, ...]:
    """Return a name as words that can be compared; those that are `known` are made once."""
    known = {} if known is None else known
    return tuple(
        known.get(word) or known.setdefault(word, word_of(word)) for word in words_of(text)
    )


def word_of(text: str) -> Word:
    """Return what is to know about a word."""
    weight = FULL if len(text) > SHORT_LETTERS else SHORT
    if len(text) == 1 or text in SLIGHT_WORDS:
        weight = SLIGHT
    return Word(text, sound_of(text), weight, _letters(text))


def weight_of(words: Iterable[Word]) -> int:
    """Return how much words have to say."""
    return sum(word.weight for word in words)


def strong_in(words: Iterable[Word]) -> int:
    """Return how many words can tell people apart."""
    return sum(word.is_strong for word in words)


def similarity(one: Word, other: Word) -> int:
    """Return how alike two words are: 100 is the same, 0 not alike."""
    if one.text == other.text:
        return SAME
    if one.sound == other.sound:
        return SOUND
    lengths = len(one.text), len(other.text)
    allowed = slips_allowed(max(lengths), LEAST)
    differing = one.letters ^ other.letters
    if differing.bit_count() <= 2 * allowed and abs(lengths[0] - lengths[1]) <= allowed:
        return _share(max(lengths), slips(one.text, other.text))
    return INITIAL if 1 in lengths and one.text[0] == other.text[0] else 0


def slips_allowed(length: int, least: int) -> int:
    """Return how many slips words of this length may have to be at least so alike, in percent."""
    return length * (SAME - least) // SAME


def slips(one: str, other: str) -> int:
    """Return how many letters were added, left out, changed, or swapped with the next one."""
    # The usual table of distances, a column at a time: a bit for each step between two rows, up or
    # down (H. Hyyrö's bit-parallel form of it). `last` watches the corner.
    if not one:
        return len(other)
    spots: dict[str, int] = {}
    for number, letter in enumerate(one):
        spots[letter] = spots.get(letter, 0) | 1 << number
    everywhere, last = (1 << len(one)) - 1, 1 << len(one) - 1
    up, down, diagonal, before, found = everywhere, 0, 0, 0, len(one)
    for letter in other:
        here = spots.get(letter, 0)
        swapped = ((~diagonal & here) << 1) & before
        diagonal = (((here & up) + up) ^ up) | here | down | swapped
        right, left = down | ~(diagonal | up) & everywhere, diagonal & up
        found += bool(right & last) - bool(left & last)
        right, left = right << 1 | 1, left << 1
        up, down = (left | ~(diagonal | right)) & everywhere, right & diagonal & everywhere
        before = here
    return found


def in_two(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text cut in two, in every way."""
    return ((text[:cut], text[cut:]) for cut in range(1, len(text)))


def _letters(text: str) -> int:
    # One bit a letter: a slip changes two of them at most, which is quick to count.
    return sum(1 << number for number in {ord(letter) % 61 for letter in text})


def _share(length: int, found: int) -> int:
    share = SAME * (length - found) // length
    share = share if found == 1 else min(share, TWO_SLIPS)
    return share if share >= LEAST else 0
