"""The heads log: what the public books' checkpoints say becomes its leaves, and is sealed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from django.db import DataError, IntegrityError, connection, transaction

from common.errors import in_words
from ledger import keys, notes
from ledger.errors import RestoreRefused
from ledger.models import HeadsCheckpoint, HeadsKey, HeadsLog
from ledger.services.sealing import seal_log, signed_of
from ledger.tiles import WIDTH, lines_in, path_of, tiles_of

OPEN = "INSERT INTO ledger_headslog (is_ours) VALUES (true) ON CONFLICT DO NOTHING"
MISSING = "SELECT EXISTS (SELECT FROM ledger_heads_missing_v1())"
APPEND = """
    INSERT INTO ledger_headsleaf (sequence, body)
    SELECT %s + row_number() OVER (ORDER BY sealed_at, organisation_id, size) - 1, body
    FROM ledger_heads_missing_v1() ORDER BY 1
"""
RESTORE = "INSERT INTO ledger_headsleaf (sequence, body) VALUES (%s, %s)"


def seal_heads() -> HeadsCheckpoint | None:
    """
    Append what public books have signed since, and sign all of it; return the last checkpoint.

    The leaves are there before anything is signed of them: what is cut off in between goes on with
    the same ones. Raises `SealingHalted`, as for a book; `KeyLocked`.
    """
    # Looked for without a lock: most of the time there is nothing.
    with connection.cursor() as cursor:
        cursor.execute(MISSING)
        [is_missing] = cursor.fetchone()
    if is_missing:
        _append()
    log = HeadsLog.objects.first()
    if log and log.size < log.leaves():
        return _seal()
    return HeadsLog().checkpoints().first()


@transaction.atomic(durable=True)
def restore_heads(*, folder: Path) -> int:
    """
    Write back the leaves that a mirror (`export_log`) has and this log has lost; say how many.

    The log is sealed with them: all of it or nothing. Raises `RestoreRefused`, and `SealingHalted`
    when it still lacks what was signed.
    """
    log = _locked()
    first = log.leaves()
    mirror = folder / log.path
    try:
        note = notes.parse_note((mirror / "checkpoint").read_bytes())
        mirrored = notes.parse_checkpoint(note.text)
        if mirrored.size <= first:
            raise RestoreRefused(f"The mirror has {mirrored.size:,} heads, and {first:,} are here.")
        bodies = [body.decode() for body in _bodies(mirror, mirrored.size, first)]
        with connection.cursor() as cursor:
            cursor.executemany(RESTORE, list(enumerate(bodies, start=first)))
    except (ValueError, IntegrityError, DataError) as error:
        raise RestoreRefused(f"The mirror does not go on from here: {in_words(error)}") from error
    if first + len(bodies) != mirrored.size:
        raise RestoreRefused("The mirror has not all the heads that its checkpoint counts.")
    _sign(log, mirrored)
    return len(bodies)


@transaction.atomic(durable=True)
def _append() -> None:
    log = _locked()
    size = log.leaves()
    # Nothing may take the place of a leaf that is lost here and was signed.
    signed_of(log, log.checkpoints().first(), size)
    with connection.cursor() as cursor:
        cursor.execute(APPEND, [size])


@transaction.atomic(durable=True)
def _seal() -> HeadsCheckpoint:
    return _sign(_locked())


def _sign(log: HeadsLog, *also: notes.Checkpoint) -> HeadsCheckpoint:
    if not HeadsKey.objects.exists():
        key = keys.make_key(log.origin)
        HeadsKey.objects.create(
            vkey=key.vkey, encrypted_seed=key.encrypted_seed, created_at=datetime.now(UTC)
        )
    checkpoint: HeadsCheckpoint = seal_log(log, *also)
    return checkpoint


def _locked() -> HeadsLog:
    with connection.cursor() as cursor:
        cursor.execute(OPEN)
    return HeadsLog.objects.select_for_update().get()


def _bodies(mirror: Path, size: int, first: int) -> Iterator[bytes]:
    # From a tile's first leaf on, less those of it that are here.
    since = first - first % WIDTH
    read = (
        (mirror / path_of("entries", number, width)).read_bytes()
        for level, number, width in tiles_of(size, since)
        if level == 0
    )
    return islice((line for bundle in read for line in lines_in(bundle)), first - since, None)
