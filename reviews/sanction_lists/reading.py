"""Reading the files of one list, whoever published them."""

from collections.abc import Callable, Sequence
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, NamedTuple

from reviews.models.sanctions import SanctionList
from reviews.sanction_lists import eu, ofac, uk, un
from reviews.sanction_lists.errors import ListMalformed
from reviews.sanction_lists.publications import Party, Publication, together

Source = SanctionList.Source
READERS: dict[str, Callable[[BinaryIO], Publication]] = {
    Source.OFAC: ofac.read,
    Source.EU: eu.read,
    Source.UN: un.read,
    Source.UK: uk.read,
}
CHUNK = 1_048_576


class Reading(NamedTuple):
    """A list as its files have it: the latest day, and the digest of all their bytes."""

    published_on: date
    sha256: str
    parties: list[Party]


def read_list(source: str, paths: Sequence[Path]) -> Reading:
    """Return what the files say together. Raises `ListMalformed`, `OSError`."""
    digest, publications = sha256(), []
    for path in paths:
        with path.open("rb") as file:
            publications.append(_read(source, path, file))
            file.seek(0)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    parties = together(party for publication in publications for party in publication.parties)
    published_on = max(publication.published_on for publication in publications)
    return Reading(published_on, digest.hexdigest(), parties)


def _read(source: str, path: Path, file: BinaryIO) -> Publication:
    try:
        return READERS[source](file)
    except ListMalformed as error:
        raise ListMalformed(f"{path.name} is not the {source} list: {error}.") from error
