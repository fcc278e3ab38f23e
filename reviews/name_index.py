"""
Finding the listed names that are alike, among many, without comparing each: pure, without Django.

It finds exactly what `names.match` scores with `ENOUGH` or more. Such names have one word in common
that is the same, sounds the same, or has one slip, which is found by a few hundred looks into a
dictionary; and a second one that is alike, unless one is all that they have. The second ones are
searched among the few names with a first one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import permutations
from typing import Generic, NamedTuple, TypeVar

from reviews.names import ENOUGH, LONGER, SHORTER, WORDS_NEEDED, Match, match
from reviews.words import (
    FULL,
    Word,
    in_two,
    name_of,
    similarity,
    slips_allowed,
    strong_in,
    weight_of,
)

Owner = TypeVar("Owner")


class Found(NamedTuple, Generic[Owner]):
    """A listed name that is alike: whose it is, and why."""

    owner: Owner
    match: Match


class _Name(NamedTuple):
    """A name, and how much it has to say."""

    words: tuple[Word, ...]
    weight: int
    strong: int

    @property
    def slight(self) -> int:
        return len(self.words) - self.strong


class NameIndex(Generic[Owner]):
    """Names that can be looked up, each with its owner: whatever the caller says."""

    def __init__(self, names: Iterable[tuple[str, Owner]]) -> None:
        """Take the names apart, once."""
        self._names: list[_Name] = []
        self._owners: list[Owner] = []
        self._words: dict[str, Word] = {}
        self._places: defaultdict[str, list[int]] = defaultdict(list)
        for name, owner in names:
            self._add(name_of(name, known=self._words), owner)
        self._by_sound: defaultdict[str, list[Word]] = defaultdict(list)
        for word in self._words.values():
            self._by_sound[word.sound].append(word)
        long = (text for text in self._words if slips_allowed(len(text), ENOUGH))
        self._letters = sorted({letter for text in long for letter in text})

    def _add(self, words: tuple[Word, ...], owner: Owner) -> None:
        for word in set(words):
            self._places[word.text].append(len(self._names))
        self._names.append(_Name(words, weight_of(words), strong_in(words)))
        self._owners.append(owner)

    def find(self, name: str) -> list[Found[Owner]]:
        """Return the names that score enough, the best first."""
        words = name_of(name)
        asked = _Name(words, weight_of(words), strong_in(words))
        places = self._likely(asked).union(*self._written_otherwise(words))
        matches = [
            Found(self._owners[place], found)
            for place in sorted(places)
            if (found := match(words, self._names[place].words)).score >= ENOUGH
        ]
        return sorted(matches, key=lambda found: -found.match.score)

    def _likely(self, asked: _Name) -> set[int]:
        """Return the places of the names with a word that is surely one of these, and another."""
        words = [word for word in asked.words if word.is_strong] or asked.words
        sure = set().union(*(self._places_of(self._surely(word)) for word in words))
        if asked.strong < WORDS_NEEDED:
            return {place for place in sure if self._names[place].strong < WORDS_NEEDED}
        vocabulary = {word for place in sure for word in self._names[place].words}
        met = Counter(
            place
            for word in words
            for place in sure & self._places_of(self._alike(word, vocabulary))
        )
        return {place for place in met if _may_reach(asked, self._names[place], met[place])}

    def _places_of(self, words: Iterable[Word]) -> set[int]:
        return set().union(*(self._places[word.text] for word in words))

    def _surely(self, word: Word) -> set[Word]:
        near = set(self._by_sound.get(word.sound, ()))
        if slips_allowed(len(word.text) + 1, ENOUGH):
            slipped = map(self._words.get, _with_a_slip(word.text, self._letters))
            near.update(other for other in slipped if other)
        return {other for other in near if similarity(word, other) >= ENOUGH}

    def _alike(self, word: Word, vocabulary: Iterable[Word]) -> set[Word]:
        # Most have other letters, which is seen at once: each slip changes two of them at most, and
        # a word that is a third longer is not alike.
        most, letters = 2 * (len(word.text) // 3), word.letters
        near = (other for other in vocabulary if (other.letters ^ letters).bit_count() <= most)
        return {*self._by_sound.get(word.sound, ()), *filter(partial(similarity, word), near)}

    def _written_otherwise(self, words: Sequence[Word]) -> Iterator[set[int]]:
        """Yield the names with two of the words as one, and those with one of them as two."""
        for one, other in permutations(words, 2):
            yield set(self._places.get(one.text + other.text, ()))
        for word in words:
            for begun, ended in in_two(word.text):
                if begun in self._places and ended in self._places:
                    yield set(self._places[begun]).intersection(self._places[ended])


def _may_reach(asked: _Name, listed: _Name, met: int) -> bool:
    """Tell whether two names with so many telling words in common may score enough."""
    # Every pair covers one word of the name that has less to say.
    covered = FULL * (met + asked.slight + listed.slight)
    is_covered = covered * SHORTER >= min(asked.weight, listed.weight) * (ENOUGH - LONGER)
    return met >= WORDS_NEEDED and is_covered


def _with_a_slip(word: str, letters: Sequence[str]) -> Iterator[str]:
    """Yield every text with one letter more, less or another, or two swapped."""
    for cut in range(len(word) + 1):
        begun, ended = word[:cut], word[cut:]
        for letter in letters:
            yield f"{begun}{letter}{ended}"
            yield f"{begun}{letter}{ended[1:]}"
        yield f"{begun}{ended[1:]}"
        yield f"{begun}{ended[1:2]}{ended[:1]}{ended[2:]}"
