"""Reading the official files: what they say, and that whatever else is refused in words."""

from datetime import date
from pathlib import Path

import pytest

from reviews.sanction_lists import elements
from reviews.sanction_lists.errors import ListMalformed
from reviews.sanction_lists.reading import read_list

FILES = Path(__file__).resolve().parents[1] / "data" / "sanctions"


def read(source, *names):
    return read_list(source, [FILES / name for name in names])


def parties(reading):
    return {party.uid: (party.kind, party.programme, party.names) for party in reading.parties}


def test_ofac_has_two_files_which_are_one_list():
    reading = read("OFAC", "sdn.xml", "consolidated-ofac.xml")

    assert reading.published_on == date(2026, 11, 20)
    assert parties(reading) == {
        "90001": (
            "person",
            "TIDE, LANTERN-EO1",
            {
                "Waldemar Ottokar GRIMBALDOV": False,
                "Vladimar GRIMBALD": False,
                # Weak in one file, and strong in the other.
                "THE HERON": False,
                "W. O. GRIMBALDOV": False,
            },
        ),
        "90002": ("organisation", "TIDE", {"MOONSHELL & SONS TRADING LLC": False}),
        "90003": ("thing", "", {"GREY PELICAN": False}),
        "90004": ("organisation", "", {"CORMORANT BANK": False}),
    }
    assert parties(read("OFAC", "sdn.xml"))["90001"][2]["THE HERON"] is True


def test_the_european_union_writes_names_whole_or_in_parts():
    reading = read("EU", "eu.xml")

    assert reading.published_on == date(2026, 11, 19)
    assert parties(reading) == {
        "EU.9001.11": (
            "person",
            "TIDE",
            {"Ferdusa Kalimantova": False, "Фердуса Калимантова": False, "Aunt Kali": True},
        ),
        "7002": ("organisation", "", {"Obsidian Ferry Company": False}),
    }


def test_the_united_nations_list_people_and_entities():
    reading = read("UN", "un.xml")

    assert reading.published_on == date(2026, 11, 18)
    assert parties(reading) == {
        "TDi.001": (
            "person",
            "Tide",
            {
                "BARNABAS EL QUIMBARI": False,
                "برناباس القمباري": False,
                "Barnabasse Kimbari": False,
                "Barno": True,
            },
        ),
        "8900002": (
            "organisation",
            "Tide",
            {"SALT MARSH COUNCIL": False, "Marsh Council of Salt": False},
        ),
    }


@pytest.mark.parametrize("name", ["uk.xml", "uk.csv"])
def test_the_united_kingdom_says_the_same_in_two_forms(name):
    reading = read("UK", name)

    assert reading.published_on == date(2026, 11, 17)
    assert parties(reading) == {
        "TID0001": (
            "person",
            "The Tide (Sanctions) Regulations 2020",
            {
                "Leopoldine Aster VANTERPOOLE": False,
                "Leo Vanter": False,
                "The Aster": True,
                "Леопольдина Вантерпул": False,
            },
        ),
        "TID0002": (
            "thing",
            "The Tide (Sanctions) Regulations 2020",
            {"DRIFTWOOD PROSPECT": False},
        ),
    }


@pytest.mark.parametrize(
    ("source", "name"),
    [("OFAC", "sdn.xml"), ("EU", "eu.xml"), ("UN", "un.xml"), ("UK", "uk.xml")],
)
def test_a_file_is_read_in_pieces_of_any_size(monkeypatch, source, name):
    whole = read(source, name)
    monkeypatch.setattr(elements, "CHUNK", 7)

    assert read(source, name) == whole


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    for name in ("uk.xml", "uk.csv"):
        marked = tmp_path / name
        marked.write_bytes(b"\xef\xbb\xbf" + (FILES / name).read_bytes())

        assert read_list("UK", [marked]).parties == read("UK", name).parties


def refused(source, content, tmp_path):
    path = tmp_path / "list"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ListMalformed) as refusal:
        read_list(source, [path])
    begun = f"list is not the {source} list: "
    assert str(refusal.value).startswith(begun)
    return str(refusal.value).removeprefix(begun)


BOMB = """<?xml version="1.0"?>
<!DOCTYPE sdnList [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<sdnList><publshInformation><Publish_Date>&b;</Publish_Date></publshInformation></sdnList>"""
FETCHING = """<?xml version="1.0"?><!DOCTYPE export SYSTEM "http://127.0.0.1/list.dtd"><export/>"""


@pytest.mark.parametrize(("source", "content"), [("OFAC", BOMB), ("EU", FETCHING)])
def test_a_document_type_is_refused_whatever_it_declares(tmp_path, source, content):
    told = refused(source, content, tmp_path)

    assert told == "it declares a document type, which no list does."


@pytest.mark.parametrize(
    ("source", "name"),
    [("OFAC", "sdn.xml"), ("EU", "eu.xml"), ("UN", "un.xml"), ("UK", "uk.xml")],
)
@pytest.mark.parametrize("share", [0, 0.3, 0.7, 0.99])
def test_a_file_that_broke_off_is_refused(tmp_path, source, name, share):
    content = (FILES / name).read_bytes()

    told = refused(source, content[: int(len(content) * share)], tmp_path)

    kind = "CSV" if (source, share) == ("UK", 0) else "XML"
    assert told.startswith(f"it is no complete {kind}: ") or "on which day" in told


@pytest.mark.parametrize(
    ("source", "content", "told"),
    [
        ("OFAC", "<html></html>", "it begins with <html>, and not with <sdnList>."),
        ("EU", "<sdnList/>", "it begins with <sdnList>, and not with <export>."),
        ("UN", "no list at all", "it is no complete XML: syntax error: line 1, column 0."),
        ("OFAC", '<?xml version="1.0" encoding="x-odd"?><sdnList/>', "it is no complete XML: "),
        ("OFAC", "<sdnList/>", "it does not say on which day it was published."),
        ("UN", "<CONSOLIDATED_LIST/>", "it does not say on which day it was published."),
        ("UK", "<Designations/>", "it does not say on which day it was published."),
        ("UK", "Published yesterday\n", "it does not say on which day it was published."),
        (
            "EU",
            '<export generationDate="2026-31-12"/>',
            "it does not say on which day it was published.",
        ),
        (
            "OFAC",
            "<sdnList><sdnEntry><uid>1</uid><sdnType>Robot</sdnType></sdnEntry></sdnList>",
            "it has a kind of party that is not known here: 'Robot'.",
        ),
        (
            "EU",
            '<export generationDate="2026-11-19"><sanctionEntity logicalId="1"/></export>',
            "it has a kind of party that is not known here: None.",
        ),
        (
            "OFAC",
            "<sdnList><sdnEntry><sdnType>Entity</sdnType></sdnEntry></sdnList>",
            "somebody on it has no id of at most 100 characters.",
        ),
        (
            "OFAC",
            f"<sdnList><sdnEntry><uid>{101 * '1'}</uid><sdnType>Entity</sdnType></sdnEntry>"
            "</sdnList>",
            "somebody on it has no id of at most 100 characters.",
        ),
        ("UK", "Report Date: 17-Nov-2026\nA,B\n1,2\n", "it has no column 'Alias strength'."),
        ("UK", "Report Date: 17-Nov-2026\n", "it has no column 'Alias strength'."),
        ("UK", b"Report Date: 17-Nov-2026\n\xff\n", "it is no complete CSV: "),
    ],
)
def test_what_is_not_the_list_is_refused_in_words(tmp_path, source, content, told):
    assert refused(source, content, tmp_path).startswith(told)


def test_a_table_is_refused_that_broke_off_within_a_quotation(tmp_path):
    whole = (FILES / "uk.csv").read_text(encoding="utf-8")

    told = refused("UK", whole.partition("a travel ban")[0], tmp_path)

    assert told == "it is no complete CSV: unexpected end of data."


def test_no_name_has_a_nul(tmp_path):
    whole = (FILES / "uk.csv").read_bytes()

    told = refused("UK", whole.replace(b"Leo Vanter", b"Leo\0Vanter"), tmp_path)

    assert "NUL" in told


def test_a_row_that_is_too_short_names_nobody(tmp_path):
    whole = (FILES / "uk.csv").read_text(encoding="utf-8")

    assert refused("UK", f"{whole}01/10/2026,TID0003,\n", tmp_path).startswith("it has a kind")
