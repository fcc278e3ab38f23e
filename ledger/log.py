"""
What a public log says to whoever asks: its checkpoint, its tiles, and proofs of its entries.

C2SP's tlog-tiles and tlog-proof; https://c2sp.org/tlog-tiles, https://c2sp.org/tlog-proof
"""

import json
from typing import Any

from ledger.errors import NotYetSealed
from ledger.merkle import HASH_BYTES
from ledger.models import (
    PUBLIC,
    AnyLog,
    Checkpoint,
    Entry,
    HeadsKey,
    HeadsLeaf,
    HeadsLog,
    HeadsTimestamp,
    Log,
    Opening,
)
from ledger.notes import encode
from ledger.tiles import HEIGHT, WIDTH, bundle_of
from ledger.witnessing import checkpoint_for, cosigned_note, witnessed
from organisations.models import Organisation

ENTRIES = "entries"
PROOF = "c2sp.org/tlog-proof@v1"
OPENING = "almoner-opening/v1"
# What servers say of checkpoints and of tiles, and how long each is good.
TEXT, BYTES = "text/plain; charset=utf-8", "application/octet-stream"
FOR_SECONDS, FOR_EVER = "public, max-age=2", "public, max-age=31536000, immutable"


def seal_of(entry: Entry) -> dict[str, Any]:
    """
    Return what a page says of an entry's proof: its first `checkpoint`, the log's `vkey`.

    And who `witnessed` the checkpoint of its receipt.
    """
    receipts = checkpoint_for(entry.organisation_id, entry.sequence)
    return {
        "checkpoint": Checkpoint.objects.first_with(entry.organisation_id, entry.sequence),
        "vkey": vkey_of(entry.organisation_id),
        "witnessed": receipts and witnessed(receipts),
    }


def keys_of(organisation_id: str, book: str = PUBLIC) -> list[Entry]:
    """Return the entries that name the keys (`vkey`) of a book's log, the one in force last."""
    return Log(organisation_id=organisation_id, book=book).key_entries()


def vkey_of(organisation_id: str) -> str:
    """Return the key in force of the public book's log."""
    return str(keys_of(organisation_id)[-1].metadata["vkey"])


def public_log(organisation: Organisation) -> Log:
    """Return the log of the public book."""
    return Log(organisation=organisation, book=PUBLIC)


def newest_checkpoint(organisation: Organisation) -> Checkpoint | None:
    """Return the last checkpoint of the public book."""
    return Checkpoint.objects.of(organisation).first()


def proof_of(organisation: Organisation, entry: Entry) -> str:
    """Return the receipt of an entry of the public book. Raises `NotYetSealed`."""
    checkpoint = checkpoint_for(organisation.pk, entry.sequence)
    if checkpoint is None:
        raise NotYetSealed
    note = cosigned_note(checkpoint)
    return _proof(public_log(organisation), entry.sequence, entry.line, checkpoint.size, note)


def proof_of_head(leaf: HeadsLeaf) -> str:
    """Return the proof that the heads log has a checkpoint's body. Raises `NotYetSealed`."""
    log = HeadsLog()
    checkpoint = log.checkpoints().first()
    if checkpoint is None or leaf.sequence >= checkpoint.size:
        raise NotYetSealed
    return _proof(log, leaf.sequence, leaf.body, checkpoint.size, checkpoint.note)


def _proof(log: AnyLog, index: int, line: str, size: int, note: str) -> str:
    path = log.tiles().inclusion(index, size)
    head = [PROOF, f"extra {encode(line.encode())}", f"index {index}"]
    return "\n".join([*head, *map(encode, path), "", note])


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


def head_of(origin: str, size: int) -> HeadsLeaf | None:
    """Return the leaf that a book's checkpoint is in the heads log."""
    organisation_id = origin.rpartition("/log/")[2].replace("\0", "")
    leaf = HeadsLeaf.objects.filter(organisation_id=organisation_id, size=size).first()
    return leaf if leaf and leaf.body.startswith(f"{origin}\n") else None


def state_of_heads() -> dict[str, Any]:
    """Return how far the heads log goes, what was signed of it last, and by which key."""
    checkpoint, key = HeadsLog().checkpoints().first(), HeadsKey.objects.first()
    stamped = HeadsTimestamp.objects.order_by("-checkpoint").first()
    return {
        "size": checkpoint.size if checkpoint else 0,
        "checkpoint": checkpoint and checkpoint.note,
        "vkey": key and key.vkey,
        "timestamp": stamped and {"size": stamped.pk, "stamped_at": stamped.stamped_at},
    }


def read_tile(log: AnyLog, level: str, number: int, width: int) -> bytes | None:
    """
    Return the first `width` hashes of a tile, or entries of a bundle (the level `entries`).

    None where the last checkpoint does not need so many.
    """
    checkpoint = log.checkpoints().first()
    height = 0 if level == ENTRIES else HEIGHT * int(level)
    if checkpoint is None or number * WIDTH + width > checkpoint.size >> height:
        return None
    if level != ENTRIES:
        tile = log.tile_rows().get(level=level, number=number)
        return bytes(tile.hashes[: width * HASH_BYTES])
    first = number * WIDTH
    return bundle_of(line.encode() for line in log.lines(first, first + width - 1))
