"""Sealing: a log's leaves go into its tiles, and a checkpoint signs them all."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from ledger import keys, notes
from ledger.errors import SealingHalted
from ledger.models import AnyLog, Book, Checkpoint, Log
from ledger.services import server_cursor
from ledger.services.checkpoints import keep, kept_file, kept_note
from ledger.tiles import TILE_BYTES, WIDTH, Tiles, subtree

# As many entries at a time as one tile of the second level stands for.
SPAN = WIDTH * WIDTH
OPEN = "INSERT INTO ledger_log (organisation_id, book) VALUES (%s, %s) ON CONFLICT DO NOTHING"
LEAVES = "SELECT number, hashes FROM {function}({places})"
GROW = """
    WITH grown AS (
        INSERT INTO {table} AS tile ({key}, number, hashes)
        SELECT {places}, * FROM unnest(%s::bigint[], %s::bytea[])
        ON CONFLICT ({key}, number) DO UPDATE SET hashes = tile.hashes || EXCLUDED.hashes
        RETURNING number, hashes
    )
    SELECT number, hashes FROM grown WHERE octet_length(hashes) = %s ORDER BY number
"""


def unsealed() -> list[Book]:
    """Return the books that have grown since they were sealed, each with its organisation."""
    log = Log.objects.filter(organisation=OuterRef("organisation"), book=OuterRef("book"))
    sealed = Coalesce(Subquery(log.values("size")), 0)
    return list(Book.objects.filter(size__gt=sealed).select_related("organisation"))


def seal(*, book: Book) -> Checkpoint:
    """
    Sign all that a book says now; return its checkpoint, the last one if nothing came since.

    Raises `SealingHalted` unless the tree begins with everything that was signed before, as the
    database has it and as it is kept outside; `KeyLocked`.
    """
    with transaction.atomic(durable=True):
        return seal_locked(book)


def seal_locked(book: Book) -> Checkpoint:
    """Do what `seal` says, in the caller's transaction."""
    checkpoint: Checkpoint = seal_log(_locked_log(book))
    return checkpoint


def seal_log(log: AnyLog, *also: notes.Checkpoint) -> Any:
    """
    Sign all leaves of a log whose row is locked; return its checkpoint.

    Its tree must begin with what was signed of it, and with `also`. Raises `SealingHalted`.
    """
    size = log.leaves()
    last = log.checkpoints().first()
    signed = signed_of(log, last, size)
    _grow(log, size)
    tree = log.tiles()
    for checkpoint in (*signed, *also):
        _check_begins_with(log, tree, checkpoint)
    if last and last.size == size:
        return last
    checkpoint = notes.Checkpoint(log.origin, size, tree.root(size))
    note = signed.get(checkpoint)
    if note is None:
        note = _sign(log, checkpoint)
        keep(log, note)
    return log.checkpoints().create(
        **log.key,
        size=size,
        root=checkpoint.root,
        note=str(note),
        sealed_at=datetime.now(UTC),
    )


def signed_of(log: AnyLog, last: Any, size: int) -> dict[notes.Checkpoint, notes.Note]:
    """
    Return what was signed of a log: the database's last checkpoint, and the one kept outside.

    Raises `SealingHalted` when a log of this size has lost any of it.
    """
    kept = kept_note(log)
    stored = last and notes.parse_note(last.note.encode())
    signed = {notes.parse_checkpoint(note.text): note for note in (kept, stored) if note}
    _check_nothing_is_lost(log, size, signed, is_kept=kept is not None)
    return signed


def _locked_log(book: Book) -> Log:
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [book.organisation_id, book.book])
    return Log.objects.of(book).select_for_update().get()


def _check_nothing_is_lost(
    log: AnyLog, size: int, signed: Collection[notes.Checkpoint], *, is_kept: bool
) -> None:
    if signed and not is_kept:
        raise SealingHalted(
            f"{kept_file(log)} is gone, so nobody can tell whether this database is an older one. "
            "Put it back; or, when you know that this database is the last one: "
            f"{log.command('trust')}"
        )
    for checkpoint in signed:
        if checkpoint.origin != log.origin:
            raise SealingHalted(f"A checkpoint of {checkpoint.origin} is kept for {log.origin}.")
        if checkpoint.size > size:
            raise SealingHalted(
                f"{checkpoint.size:,} {log.noun} were signed and {size:,} are here: "
                "this database is an older one. Restore the last one, or bring back what is "
                f"missing from an export: {log.command('restore')}"
            )


def _check_begins_with(log: AnyLog, tree: Tiles, checkpoint: notes.Checkpoint) -> None:
    if tree.root(checkpoint.size) != checkpoint.root:
        raise SealingHalted(
            f"The first {checkpoint.size:,} {log.noun} are not those that were signed: "
            "restore the database that has them. To see what is wrong: manage.py audit_ledger"
        )


def _grow(log: AnyLog, size: int) -> None:
    key = list(log.key.values())
    leaves = LEAVES.format(function=log.LEAVES, places=_places(len(key) + 2))
    grow = GROW.format(
        table=log.tile_rows().model._meta.db_table,
        key=", ".join([*log.key, "level"]),
        places=_places(len(key) + 1),
    )
    with server_cursor() as cursor:
        while log.size < size:
            until = min(size, (log.size // SPAN + 1) * SPAN)
            cursor.execute(leaves.encode(), [*key, log.size, until])
            level, grown = 0, cursor.fetchall()
            while grown:
                columns = [list(column) for column in zip(*grown, strict=True)]
                cursor.execute(grow.encode(), [*key, level, *columns, TILE_BYTES])
                level, grown = level + 1, _above(cursor.fetchall())
            log.size = until
    log.save(update_fields=["size"])


def _places(count: int) -> str:
    return ", ".join(["%s"] * count)


def _above(filled: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    # What tiles that are full now add to those of the next level.
    above: dict[int, bytes] = {}
    for number, hashes in filled:
        above[number // WIDTH] = above.get(number // WIDTH, b"") + subtree(hashes)
    return list(above.items())


def _sign(log: AnyLog, checkpoint: notes.Checkpoint) -> notes.Note:
    signatures = []
    for key in log.signers(checkpoint.size):
        private = keys.open_key(bytes(key.encrypted_seed))
        signatures.append(notes.sign(private, notes.parse_key(key.vkey).name, str(checkpoint)))
    return notes.Note(str(checkpoint), signatures)
