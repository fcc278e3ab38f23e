"""What every list says, whoever publishes it: since when it holds, and who is on it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from reviews.models.sanctions import ListedName
from reviews.sanction_lists.errors import ListMalformed

Kind = ListedName.Kind
UID_LENGTH_MAX = 100
KINDS = {
    "individual": Kind.PERSON,
    "person": Kind.PERSON,
    "entity": Kind.ORGANISATION,
    "enterprise": Kind.ORGANISATION,
    "ship": Kind.THING,
    "vessel": Kind.THING,
    "aircraft": Kind.THING,
}


@dataclass(slots=True)
class Party:
    """Somebody on a list: every name, and whether that is a weak one only."""

    uid: str
    kind: Kind
    programme: str
    names: dict[str, bool] = field(default_factory=dict)

    def add(self, *parts: str | None, is_weak: bool = False) -> None:
        """Take one more name, in parts; what is strong anywhere is strong."""
        name = " ".join(" ".join(part or "" for part in parts).split())
        if "\0" in name:
            raise ListMalformed("it has a name with a NUL, which no name has")
        if name:
            self.names[name] = is_weak and self.names.get(name, True)


class Publication(NamedTuple):
    """One list as it was published on a day."""

    published_on: date
    parties: list[Party]


def kind_of(text: str | None) -> Kind:
    """Return what somebody is. Raises `ListMalformed` for what no list has said until now."""
    try:
        return KINDS[(text or "").strip().casefold()]
    except KeyError:
        raise ListMalformed(f"it has a kind of party that is not known here: {text!r}") from None


def uid_of(*candidates: str | None) -> str:
    """Return the first id that is there. Raises `ListMalformed`."""
    uid = next((each.strip() for each in candidates if each and each.strip()), "")
    if 0 < len(uid) <= UID_LENGTH_MAX:
        return uid
    raise ListMalformed(f"somebody on it has no id of at most {UID_LENGTH_MAX} characters")


def day_of(text: str | None, form: str) -> date:
    """Return the day of publication. Raises `ListMalformed`."""
    try:
        # A day as its publisher counts it: no zone changes it.
        return datetime.strptime((text or "").strip(), form).date()  # noqa: DTZ007 - see above
    except ValueError:
        raise ListMalformed("it does not say on which day it was published") from None


def together(parties: Iterable[Party]) -> list[Party]:
    """Return the parties, each once, with all of their names; those without any are left out."""
    found: dict[str, Party] = {}
    for party in parties:
        known = found.setdefault(party.uid, party)
        for name, is_weak in party.names.items():
            known.add(name, is_weak=is_weak)
    return [party for party in found.values() if party.names]
