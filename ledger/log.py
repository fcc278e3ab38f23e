"""
What a public log says to whoever asks: its checkpoint, its tiles, and proofs of its entries.

C2SP's tlog-tiles and tlog-proof; https://c2sp.org/tlog-tiles, https://c2sp.org/tlog-proof
"""

import json
from typing import Any

from django.db.models import Q

from ledger.errors import NotYetSealed
from ledger.merkle import HASH_BYTES
from ledger.models import PUBLIC, Checkpoint, Entry, Log, Opening, SigningKey, Tile
from ledger.notes import encode
from ledger.rotation import OPERATION, nonce_of
from ledger.tiles import HEIGHT, WIDTH, bundle_of
from organisations.models import Organisation

ENTRIES = "entries"
PROOF = "c2sp.org/tlog-proof@v1"
OPENING = "almoner-opening/v1"


def seal_of(entry: Entry) -> dict[str, Any]:
    """Return what a page says of an entry's proof: its first `checkpoint`, the log's `vkey`."""
    return {
        "checkpoint": Checkpoint.objects.first_with(entry.organisation_id, entry.sequence),
        "vkey": vkey_of(entry.organisation_id),
    }


def keys_of(organisation_id: str, book: str = PUBLIC) -> list[Entry]:
    """Return the entries that name the keys (`vkey`) of a book's log, the one in force last."""
    nonces = [nonce_of(key.vkey) for key in SigningKey.objects.of(organisation_id)]
    named = Q(sequence=0) | Q(operation=OPERATION, nonce__in=nonces)
    return list(Entry.objects.of(organisation_id, book).filter(named).order_by("sequence"))


def vkey_of(organisation_id: str) -> str:
    """Return the key in force of the public book's log."""
    return str(keys_of(organisation_id)[-1].metadata["vkey"])


def newest_checkpoint(organisation: Organisation) -> Checkpoint | None:
    """Return the last checkpoint of the public book."""
    return Checkpoint.objects.of(organisation).first()


def proof_of(organisation: Organisation, entry: Entry) -> str:
    """Return the receipt of an entry of the public book. Raises `NotYetSealed`."""
    checkpoint = newest_checkpoint(organisation)
    if checkpoint is None or entry.sequence >= checkpoint.size:
        raise NotYetSealed
    tree = Log(organisation=organisation, book=PUBLIC).tiles()
    path = tree.inclusion(entry.sequence, checkpoint.size)
    head = [PROOF, f"extra {encode(entry.line.encode())}", f"index {entry.sequence}"]
    return "\n".join([*head, *map(encode, path), "", checkpoint.note])


def opening_of(entry: Entry) -> str | None:
    """
    Return the private file that opens what an entry commits to, for the donor alone.

    None where nothing is to be opened, or no more.
    """
    details = [
        {"field": row.field, "value": row.value, "salt": bytes(row.salt).hex()}
        for row in Opening.objects.of(entry)
    ]
    told = {
        "version": OPENING,
        "organisation_id": entry.organisation_id,
        "book": entry.book,
        "sequence": entry.sequence,
        "details": details,
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n" if details else None


def erasure_of(entry: Entry) -> Entry | None:
    """Return the entry that says that an entry's details were erased."""
    own = Entry.objects.of(entry.organisation_id, entry.book)
    return own.filter(operation="ERASURE", nonce=f"erasure:{entry.sequence}").first()


def read_tile(organisation: Organisation, level: str, number: int, width: int) -> bytes | None:
    """
    Return the first `width` hashes of a tile, or entries of a bundle (the level `entries`).

    None where the last checkpoint does not need so many.
    """
    checkpoint = newest_checkpoint(organisation)
    height = 0 if level == ENTRIES else HEIGHT * int(level)
    if checkpoint is None or number * WIDTH + width > checkpoint.size >> height:
        return None
    if level != ENTRIES:
        tile = Tile.objects.get(organisation=organisation, book=PUBLIC, level=level, number=number)
        return bytes(tile.hashes[: width * HASH_BYTES])
    first = number * WIDTH
    rows = Entry.objects.of(organisation).filter(sequence__range=(first, first + width - 1))
    lines = rows.order_by("sequence").values_list("line", flat=True)
    return bundle_of(line.encode() for line in lines)
