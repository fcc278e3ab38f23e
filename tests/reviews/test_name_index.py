"""Finding listed names among many: exactly those that comparing each of them would find."""

from hypothesis import example, given
from hypothesis import strategies as st

from reviews.name_index import NameIndex
from reviews.names import ENOUGH, compare

PARTS = [
    "mohammed", "muhammad", "mohamad", "grimbald", "grimbold", "grimblad", "rimbald", "grimbaldt",
    "anna", "anne", "hanna", "al", "qaida", "alqaida", "jong", "un", "jongun", "dr", "ltd", "a",
    "o", "moonshell", "moon", "shell", "li", "lee", "mahmoud", "schmidt", "schmitd", "mosheel",
]  # fmt: skip
words = st.one_of(st.sampled_from(PARTS), st.text("abdeghilmnor", min_size=1, max_size=10))
names = st.lists(words, min_size=1, max_size=4).map(" ".join)


@given(st.lists(names, max_size=30), st.one_of(names, st.just("")))
@example(["alqaida"], "al qaida")
@example(["al qaida"], "alqaida")
@example(["rimbald", "grimbaldt", "grimblad", "grimbold"], "grimbald")
@example(["a o", "dr"], "o a")
@example(["grimbal"], "grimba")
@example(["grimba"], "grimbal")
@example(["anna grombuld"], "anna grimbald")
def test_it_finds_what_comparing_each_would_find(listed, asked):
    found = NameIndex((name, name) for name in listed).find(asked)

    scores = sorted(((compare(asked, name).score, name) for name in listed), reverse=True)
    expected = [(score, name) for score, name in scores if score >= ENOUGH]
    assert sorted(((each.match.score, each.owner) for each in found), reverse=True) == expected


def test_the_best_come_first_and_tell_why():
    index = NameIndex([("Anna Grimbold", 1), ("Boris Grimbald", 2), ("GRIMBALD, Anna", 3)])

    best, next_best = index.find("Anna Grimbald")

    assert (best.owner, best.match.score, next_best.owner) == (3, 100, 1)
    assert next_best.match.explanation == (
        "“anna” is the same; “grimbald” is close to “grimbold” (87)"
    )
    assert index.find("Anna") == []
