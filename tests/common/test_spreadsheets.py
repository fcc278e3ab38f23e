"""Rows for spreadsheets: what cells say comes back, and none of them is a formula."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.spreadsheets import write_rows

DANGEROUS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
attacks = st.builds("{}{}{}".format, st.sampled_from(["", *DANGEROUS]), cells, cells)


def read_back(rows):
    """Return what a spreadsheet reads, cell by cell."""
    written = "".join(write_rows(rows))
    assert written.startswith("\ufeff")
    return list(csv.reader(StringIO(written.removeprefix("\ufeff"), newline="")))


@given(st.lists(st.lists(attacks, min_size=1, max_size=5), max_size=5))
def test_no_cell_begins_a_formula_and_nothing_else_is_changed(rows):
    for row, found in zip(rows, read_back(rows), strict=True):
        assert [cell for cell in found if cell.startswith(DANGEROUS)] == []
        assert found == [f"'{cell}" if cell.startswith(DANGEROUS) else cell for cell in row]


@pytest.mark.parametrize("begin", DANGEROUS)
def test_what_begins_a_formula_is_text(begin):
    assert read_back([[f"{begin}HYPERLINK()"]]) == [[f"'{begin}HYPERLINK()"]]


def test_every_cell_is_quoted():
    assert "".join(write_rows([["a", 5], ['=1"', ""]])) == '\ufeff"a","5"\r\n"\'=1""",""\r\n'


def test_rows_are_written_one_by_one():
    def rows():
        yield ["first"]
        raise AssertionError("the second row is not read before the first is written")

    written = write_rows(rows())

    assert [next(written), next(written)] == ["\ufeff", '"first"\r\n']
