"""Puzzles: made here, solved by work, for a quarter of an hour."""

import hashlib
from itertools import count

import pytest
from django.core import signing
from hypothesis import given
from hypothesis import strategies as st

from reviews import puzzles
from reviews.puzzles import new_puzzle, solved


def worked_out(puzzle):
    """Return a solution, as a donor's browser finds it."""
    for number in count():
        digest = hashlib.sha256(f"{puzzle}:{number}".encode()).hexdigest()
        if digest.startswith("0000"):
            return str(number)
    raise AssertionError


@pytest.fixture(scope="module")
def puzzle():
    return new_puzzle()


@pytest.fixture(scope="module")
def solution(puzzle):
    return worked_out(puzzle)


def test_a_puzzle_that_is_solved_has_a_name_of_its_own(puzzle, solution):
    another = new_puzzle()

    assert solved(puzzle, solution)
    assert solved(puzzle, solution) == solved(puzzle, solution)
    assert solved(another, worked_out(another)) not in {"", solved(puzzle, solution)}


def test_the_work_is_sixteen_bits(puzzle):
    right = [
        str(number)
        for number in range(300_000)
        if hashlib.sha256(f"{puzzle}:{number}".encode()).digest()[:2] == b"\0\0"
    ]

    assert all(solved(puzzle, number) for number in right)
    nearly = next(
        str(number)
        for number in count()
        if hashlib.sha256(f"{puzzle}:{number}".encode()).digest()[:2] == b"\0\1"
    )
    assert not solved(puzzle, nearly)


@given(st.text(max_size=30))
def test_no_text_is_a_puzzle_of_ours(text):
    assert solved(text, "0") == ""


@given(st.integers(min_value=0), st.characters(codec="utf-8"))
def test_a_puzzle_that_was_changed_is_none(position, other):
    puzzle = new_puzzle()
    place = position % len(puzzle)
    changed = puzzle[:place] + other + puzzle[place + 1 :]

    if changed != puzzle:
        assert solved(changed, "0") == ""


@given(st.text(max_size=25))
def test_a_solution_is_one_only_where_the_work_was_done(puzzle, text):
    has_worked = hashlib.sha256(f"{puzzle}:{text}".encode()).digest()[:2] == b"\0\0"

    assert bool(solved(puzzle, text)) == (has_worked and len(text) <= 20)


def test_a_solution_is_short(puzzle):
    long = next(
        f"{number:021d}"
        for number in count()
        if hashlib.sha256(f"{puzzle}:{number:021d}".encode()).digest()[:2] == b"\0\0"
    )

    assert solved(puzzle, long) == ""


def test_a_text_that_was_signed_for_something_else_is_no_puzzle():
    other = signing.dumps("name", salt="something.else")

    assert solved(other, worked_out(other)) == ""


@pytest.mark.parametrize(("age", "counts"), [(0, True), (890, True), (910, False)])
def test_a_puzzle_is_good_for_a_quarter_of_an_hour(monkeypatch, age, counts):
    made_at = 1_800_000_000
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: made_at)
        puzzle = new_puzzle()
    solution = worked_out(puzzle)

    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: made_at + age)
        assert bool(solved(puzzle, solution)) == counts

    assert puzzles.VALID_SECONDS == 900
