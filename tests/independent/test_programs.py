"""What we sign, other people's programs accept; altered, they refuse it."""

import pytest

from tests.independent import altered
from tests.independent.programs import PROGRAMS


def those_that_read(kind):
    """Run a test with each program that can do this."""
    able = [each for each in PROGRAMS if hasattr(each, kind)]
    names = [each.__name__ for each in able]
    return pytest.mark.parametrize("program", able, indirect=True, ids=names)


@those_that_read("checkpoint")
def test_a_checkpoint(program, published):
    for note in published.checkpoints:
        assert program.checkpoint(published.keys, note)
        for changed in altered.checkpoints(note):
            assert not program.checkpoint(published.keys, changed), changed


@those_that_read("receipt")
def test_a_receipt(program, published):
    for receipt in published.receipts:
        assert program.receipt(published.keys, receipt)
        for changed in altered.receipts(receipt):
            assert not program.receipt(published.keys, changed), changed


@those_that_read("consistency")
def test_consistency(program, published):
    for consistency in published.consistencies:
        assert program.consistency(published.keys, *consistency)
        for changed in altered.consistencies(consistency):
            assert not program.consistency(published.keys, *changed), changed


@those_that_read("cosigned")
def test_a_cosigned_receipt(program, published):
    # The first and the last are of other checkpoints than those after and before them.
    others = [published.cosigned[-1], *[published.cosigned[0]] * (len(published.cosigned) - 1)]
    for receipt, other in zip(published.cosigned, others, strict=True):
        assert program.cosigned(published.keys, receipt)
        for changed in altered.cosigned(receipt, other):
            assert not program.cosigned(published.keys, changed), changed
