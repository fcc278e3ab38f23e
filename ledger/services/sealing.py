"""Sealing: a book's entries become leaves of its log, and a checkpoint signs them all."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from ledger import keys, notes
from ledger.errors import SealingHalted
from ledger.log import keys_of
from ledger.models import Book, Checkpoint, Log, SigningKey
from ledger.services import server_cursor
from ledger.services.books import origin_of
from ledger.services.checkpoints import keep, kept_file, kept_note
from ledger.tiles import TILE_BYTES, WIDTH, Tiles, subtree

# Who knows only the retired key has so long to learn of the new one.
OVERLAP = timedelta(days=30)
# As many entries at a time as one tile of the second level stands for.
SPAN = WIDTH * WIDTH
OPEN = "INSERT INTO ledger_log (organisation_id, book) VALUES (%s, %s) ON CONFLICT DO NOTHING"
LEAVES = "SELECT number, hashes FROM ledger_leaves_v1(%s, %s, %s, %s)"
GROW = """
    WITH grown AS (
        INSERT INTO ledger_tile AS tile (organisation_id, book, level, number, hashes)
        SELECT %s, %s, %s, * FROM unnest(%s::bigint[], %s::bytea[])
        ON CONFLICT (organisation_id, book, level, number)
            DO UPDATE SET hashes = tile.hashes || EXCLUDED.hashes
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
    log = _locked_log(book)
    book = Book.objects.get(pk=book.pk)
    last = Checkpoint.objects.of(book.organisation_id, book.book).first()
    kept = kept_note(book)
    signed = [notes.parse_checkpoint(note.text) for note in _notes(kept, last)]
    _check_nothing_is_lost(book, signed, is_kept=kept is not None)
    _grow(log, book.size)
    tree = log.tiles()
    for checkpoint in signed:
        _check_begins_with(tree, checkpoint)
    if last and last.size == book.size:
        return last
    checkpoint = notes.Checkpoint(_origin(book), book.size, tree.root(book.size))
    if checkpoint in signed:
        note = kept
    else:
        note = _sign(book, checkpoint)
        keep(book, note)
    return Checkpoint.objects.create(
        organisation_id=book.organisation_id,
        book=book.book,
        size=book.size,
        root=checkpoint.root,
        note=str(note),
        sealed_at=datetime.now(UTC),
    )


def _locked_log(book: Book) -> Log:
    with connection.cursor() as cursor:
        cursor.execute(OPEN, [book.organisation_id, book.book])
    return Log.objects.of(book).select_for_update().get()


def _check_nothing_is_lost(
    book: Book, signed: Sequence[notes.Checkpoint], *, is_kept: bool
) -> None:
    if signed and not is_kept:
        raise SealingHalted(
            f"{kept_file(book)} is gone, so nobody can tell whether this database is an older one. "
            "Put it back; or, when you know that this database is the last one: "
            f"{_command('trust_checkpoint', book)}"
        )
    for checkpoint in signed:
        if checkpoint.origin != _origin(book):
            raise SealingHalted(f"A checkpoint of {checkpoint.origin} is kept for {_origin(book)}.")
        if checkpoint.size > book.size:
            raise SealingHalted(
                f"{checkpoint.size:,} entries were signed and {book.size:,} are here: "
                "this database is an older one. Restore the last one, or bring back what is "
                f"missing from an export: {_command('restore_entries', book)} EXPORT"
            )


def _check_begins_with(tree: Tiles, checkpoint: notes.Checkpoint) -> None:
    if tree.root(checkpoint.size) != checkpoint.root:
        raise SealingHalted(
            f"The first {checkpoint.size:,} entries are not those that were signed: "
            "restore the database that has them. To see what is wrong: manage.py audit_ledger"
        )


def _grow(log: Log, size: int) -> None:
    with server_cursor() as cursor:
        while log.size < size:
            until = min(size, (log.size // SPAN + 1) * SPAN)
            cursor.execute(LEAVES, [log.organisation_id, log.book, log.size, until])
            level, grown = 0, cursor.fetchall()
            while grown:
                columns = [list(column) for column in zip(*grown, strict=True)]
                key = [log.organisation_id, log.book, level]
                cursor.execute(GROW, [*key, *columns, TILE_BYTES])
                level, grown = level + 1, _above(cursor.fetchall())
            log.size = until
    log.save(update_fields=["size"])


def _above(filled: Sequence[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    # What tiles that are full now add to those of the next level.
    above: dict[int, bytes] = {}
    for number, hashes in filled:
        above[number // WIDTH] = above.get(number // WIDTH, b"") + subtree(hashes)
    return list(above.items())


def _sign(book: Book, checkpoint: notes.Checkpoint) -> notes.Note:
    stored = {key.vkey: key for key in SigningKey.objects.of(book.organisation_id)}
    signatures = []
    for vkey in _signers(book):
        private = keys.open_key(bytes(stored[vkey].encrypted_seed))
        signatures.append(notes.sign(private, notes.parse_key(vkey).name, str(checkpoint)))
    return notes.Note(str(checkpoint), signatures)


def _signers(book: Book) -> list[str]:
    """Return the key in force, and for a while the one before it, if that is not lost."""
    named = keys_of(book.organisation_id, book.book)
    entries = [entry for entry in named if entry.sequence < book.size]
    last = entries[-1]
    is_overlapping = last.recorded_at > datetime.now(UTC) - OVERLAP
    is_vouched_for = "signature" in last.metadata
    signing = entries[-2:] if is_overlapping and is_vouched_for else [last]
    return [entry.metadata["vkey"] for entry in reversed(signing)]


def _origin(book: Book) -> str:
    return origin_of(book.organisation_id, book.book)


def _command(name: str, book: Book) -> str:
    return f"manage.py {name} --organisation {book.organisation.slug} --book {book.book}"


def _notes(kept: notes.Note | None, last: Checkpoint | None) -> list[notes.Note]:
    return [note for note in (kept, last and notes.parse_note(last.note.encode())) if note]
