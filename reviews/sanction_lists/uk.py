"""The UK Sanctions List, as XML or CSV: the only one since OFSI's closed in January 2026."""

import csv
from io import TextIOWrapper
from typing import BinaryIO
from xml.etree.ElementTree import Element

from reviews.sanction_lists.elements import records, text_of
from reviews.sanction_lists.errors import ListMalformed
from reviews.sanction_lists.publications import Party, Publication, day_of, kind_of, uid_of

BEGINNING = 16
REPORTED = "Report Date:"
GENERATED = "DateGenerated"
NUMBERS = range(1, 7)
COLUMNS = {
    "Unique ID", "Designation Type", "Regime Name", "Alias strength", "Name non-latin script",
    *(f"Name {number}" for number in NUMBERS),
}  # fmt: skip


def read(file: BinaryIO) -> Publication:
    """Return what either form of the file says. Raises `ListMalformed`."""
    beginning = file.read(BEGINNING).removeprefix(b"\xef\xbb\xbf").lstrip()
    file.seek(0)
    return _read_xml(file) if beginning.startswith(b"<") else _read_csv(file)


def _read_xml(file: BinaryIO) -> Publication:
    generated, parties = "", []
    tags = frozenset({GENERATED, "Designation"})
    for record in records(file, root="Designations", tags=tags):
        if record.tag == GENERATED:
            generated = record.text or ""
        elif record.tag == "Designation":
            parties.append(_party(record))
    return Publication(day_of(generated, "%d/%m/%Y"), parties)


def _party(record: Element) -> Party:
    party = Party(
        uid_of(text_of(record, "UniqueID")),
        kind_of(text_of(record, "IndividualEntityShip")),
        text_of(record, "RegimeName"),
    )
    for name in record.iterfind("Names/Name"):
        parts = (text_of(name, f"Name{number}") for number in NUMBERS)
        party.add(*parts, is_weak=_is_weak(text_of(name, "AliasStrength")))
    for name in record.iterfind("NonLatinNames/NonLatinName"):
        party.add(text_of(name, "NameNonLatinScript"))
    return party


def _read_csv(file: BinaryIO) -> Publication:
    lines = TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        reported = lines.readline().strip().strip(',"')
        published = day_of(reported.removeprefix(REPORTED), "%d-%b-%Y")
        rows = csv.DictReader(lines, strict=True)
        if missing := COLUMNS.difference(rows.fieldnames or ()):
            raise ListMalformed(f"it has no column {min(missing)!r}")
        return Publication(published, [_row(row) for row in rows])
    except (csv.Error, UnicodeDecodeError) as error:
        raise ListMalformed(f"it is no complete CSV: {error}") from error
    finally:
        lines.detach()


def _row(row: dict[str, str]) -> Party:
    kind = kind_of(row["Designation Type"])
    party = Party(uid_of(row["Unique ID"]), kind, row["Regime Name"])
    parts = [row[f"Name {number}"] for number in NUMBERS]
    party.add(*parts, is_weak=_is_weak(row["Alias strength"]))
    party.add(row["Name non-latin script"])
    return party


def _is_weak(strength: str | None) -> bool:
    return (strength or "").casefold().startswith("low")
