"""The United Nations Security Council's consolidated list: consolidated.xml."""

from typing import BinaryIO
from xml.etree.ElementTree import Element

from reviews.sanction_lists.elements import records, text_of
from reviews.sanction_lists.publications import Party, Publication, day_of, kind_of, uid_of

DAY_LENGTH = len("2026-01-31")
TAGS = frozenset({"INDIVIDUAL", "ENTITY"})
NAMES = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")


def read(file: BinaryIO) -> Publication:
    """Return what the file says. Raises `ListMalformed`."""
    parties = records(file, root="CONSOLIDATED_LIST", tags=TAGS)
    generated = next(parties).get("dateGenerated", "")[:DAY_LENGTH]
    return Publication(day_of(generated, "%Y-%m-%d"), [_party(each) for each in parties])


def _party(record: Element) -> Party:
    uid = uid_of(text_of(record, "REFERENCE_NUMBER"), text_of(record, "DATAID"))
    party = Party(uid, kind_of(record.tag), text_of(record, "UN_LIST_TYPE"))
    party.add(*(text_of(record, name) for name in NAMES))
    party.add(text_of(record, "NAME_ORIGINAL_SCRIPT"))
    for alias in record.iterfind(f"{record.tag}_ALIAS"):
        is_weak = text_of(alias, "QUALITY").casefold() == "low"
        party.add(text_of(alias, "ALIAS_NAME"), is_weak=is_weak)
    return party
