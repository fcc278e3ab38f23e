"""
Comparing two names, with reasons: which word answers to which, and how well.

Pure functions without Django. A score of 100 is the same name; at 85 a person should look at it.
Decision 26 says why it is counted so.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from reviews.words import SAME, SOUND, Word, in_two, name_of, similarity, strong_in, weight_of

ENOUGH = 85
# What one word scores against the same one written apart.
JOINED = 95
# What a name scores at most of which too few words are found: one of several says nothing.
TOO_LITTLE, WORDS_NEEDED = 80, 2
# The name with less to say counts most: the other one may have further names.
SHORTER, LONGER = 85, 15
# One word, the two that it is in the other name, and whether those are in the name that is asked.
Join = tuple[int, Word, tuple[Word, Word], bool]


class Pair(NamedTuple):
    """Words that answer to each other; more than one where they are one word written apart."""

    words: tuple[Word, ...]
    listed: tuple[Word, ...]
    score: int

    def __str__(self) -> str:
        """Say it for people."""
        left, right = (" ".join(word.text for word in side) for side in (self.words, self.listed))
        if self.score == SAME:
            return f"“{left}” is the same"
        sounds_alike = self.score == SOUND and self.words[0].sound == self.listed[0].sound
        how = "sounds like" if sounds_alike else "is close to"
        return f"“{left}” {how} “{right}” ({self.score})"


class Match(NamedTuple):
    """How alike two names are, 0 to 100, and why."""

    score: int
    pairs: tuple[Pair, ...] = ()
    only_asked: tuple[str, ...] = ()
    only_listed: tuple[str, ...] = ()

    @property
    def explanation(self) -> str:
        """Say which word answers to which, and which ones have no answer."""
        said = [str(pair) for pair in self.pairs] or ["no word is alike"]
        for whose, rest in (("asked", self.only_asked), ("listed", self.only_listed)):
            if rest:
                said.append(f"only in the name that is {whose}: {', '.join(rest)}")
        return "; ".join(said)


def compare(name: str, listed: str) -> Match:
    """Return how alike two names are; the same whichever of them is the listed one."""
    return match(name_of(name), name_of(listed))


def match(name: Sequence[Word], listed: Sequence[Word]) -> Match:
    """Return how alike two names are, word by word, whatever their order."""
    if not name or not listed:
        return Match(0)
    left, right = list(name), list(listed)
    pairs = [*_alike(left, right), *_written_apart(left, right)]
    only_asked, only_listed = (tuple(word.text for word in rest) for rest in (left, right))
    return Match(_score(name, listed, pairs), tuple(pairs), only_asked, only_listed)


def _alike(left: list[Word], right: list[Word]) -> list[Pair]:
    """Take the words that are most alike out of both names, the best pair first."""
    found = [
        (-score, tuple(sorted([one.text, other.text])), one, other)
        for one in set(left)
        for other in set(right)
        if (score := similarity(one, other))
    ]
    pairs = []
    for worse, _, one, other in sorted(found):
        while one in left and other in right:
            left.remove(one)
            right.remove(other)
            pairs.append(Pair((one,), (other,), -worse))
    return pairs


def _written_apart(left: list[Word], right: list[Word]) -> list[Pair]:
    """Take out two words of one name that are one word of the other, the longest first."""
    found = [*_joins(left, right, is_left=True), *_joins(right, left, is_left=False)]
    pairs = []
    for _, whole, parts, is_left in sorted(found):
        apart, joined = (left, right) if is_left else (right, left)
        while whole in joined and Counter(parts) <= Counter(apart):
            joined.remove(whole)
            for part in parts:
                apart.remove(part)
            pairs.append(
                Pair(parts, (whole,), JOINED) if is_left else Pair((whole,), parts, JOINED)
            )
    return pairs


def _joins(apart: list[Word], joined: list[Word], *, is_left: bool) -> list[Join]:
    known = {word.text: word for word in apart}
    return [
        (-len(whole.text), whole, (known[begun], known[ended]), is_left)
        for whole in set(joined)
        for begun, ended in in_two(whole.text)
        if begun in known and ended in known
    ]


def _score(name: Sequence[Word], listed: Sequence[Word], pairs: list[Pair]) -> int:
    one = weight_of(name), sum(weight_of(pair.words) * pair.score for pair in pairs)
    other = weight_of(listed), sum(weight_of(pair.listed) * pair.score for pair in pairs)
    # Of two names with as much to say either is the shorter: so it is the same both ways.
    ways = [ways for ways in ((one, other), (other, one)) if ways[0][0] <= ways[1][0]]
    score = max(
        (SHORTER * found * rest + LONGER * answered * whole) // (SAME * whole * rest)
        for (whole, found), (rest, answered) in ways
    )
    needed = min(WORDS_NEEDED, max(strong_in(name), strong_in(listed)))
    return score if _tells(pairs, needed) else min(score, TOO_LITTLE)


def _tells(pairs: Sequence[Pair], needed: int) -> bool:
    """Tell whether enough telling words were found, one of them without doubt."""
    telling = [pair for pair in pairs if _strong_in_both(pair) or not needed]
    is_sure = any(pair.score >= ENOUGH for pair in telling)
    return is_sure and sum(_strong_in_both(pair) for pair in telling) >= needed


def _strong_in_both(pair: Pair) -> int:
    sides = strong_in(pair.words), strong_in(pair.listed)
    return max(sides) if all(sides) else 0
