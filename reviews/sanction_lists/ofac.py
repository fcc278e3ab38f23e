"""The lists of the United States' OFAC: SDN.XML, and CONSOLIDATED.XML of the same form."""

from typing import BinaryIO
from xml.etree.ElementTree import Element

from reviews.sanction_lists.elements import records, text_of
from reviews.sanction_lists.publications import Party, Publication, day_of, kind_of, uid_of

# The publisher's own spelling.
PUBLISHED = "publshInformation"


def read(file: BinaryIO) -> Publication:
    """Return what an OFAC file says. Raises `ListMalformed`."""
    published, parties = "", []
    for record in records(file, root="sdnList", tags=frozenset({PUBLISHED, "sdnEntry"})):
        if record.tag == PUBLISHED:
            published = text_of(record, "Publish_Date")
        elif record.tag == "sdnEntry":
            parties.append(_party(record))
    return Publication(day_of(published, "%m/%d/%Y"), parties)


def _party(record: Element) -> Party:
    programmes = [programme.text or "" for programme in record.iterfind("programList/program")]
    kind = kind_of(text_of(record, "sdnType"))
    party = Party(uid_of(text_of(record, "uid")), kind, ", ".join(programmes))
    party.add(text_of(record, "firstName"), text_of(record, "lastName"))
    for alias in record.iterfind("akaList/aka"):
        is_weak = text_of(alias, "category").casefold() == "weak"
        party.add(text_of(alias, "firstName"), text_of(alias, "lastName"), is_weak=is_weak)
    return party
