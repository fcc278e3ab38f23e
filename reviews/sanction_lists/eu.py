"""The European Union's consolidated list of financial sanctions: its XML file, version 1.1."""

from typing import BinaryIO
from xml.etree.ElementTree import Element

from reviews.sanction_lists.elements import records
from reviews.sanction_lists.publications import Party, Publication, day_of, kind_of, uid_of

DAY_LENGTH = len("2026-01-31")


def read(file: BinaryIO) -> Publication:
    """Return what the file says. Raises `ListMalformed`."""
    entities = records(file, root="export", tags=frozenset({"sanctionEntity"}))
    generated = next(entities).get("generationDate", "")[:DAY_LENGTH]
    return Publication(day_of(generated, "%Y-%m-%d"), [_party(entity) for entity in entities])


def _party(entity: Element) -> Party:
    regulations = [each.get("programme", "") for each in entity.iterfind("regulation")]
    subject = entity.find("subjectType")
    party = Party(
        uid_of(entity.get("euReferenceNumber"), entity.get("logicalId")),
        kind_of(None if subject is None else subject.get("code")),
        ", ".join(dict.fromkeys(filter(None, regulations))),
    )
    for alias in entity.iterfind("nameAlias"):
        parts = [alias.get(part) for part in ("firstName", "middleName", "lastName")]
        whole = alias.get("wholeName")
        party.add(*([whole] if whole else parts), is_weak=alias.get("strong") == "false")
    return party
