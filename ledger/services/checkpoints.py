"""
The last checkpoint of each log, kept outside the database: a restored backup does not know it.

One file a log below `DATA_DIR/checkpoints`, written before the database has the same checkpoint.
"""

import os
from pathlib import Path

from django.conf import settings

from ledger import notes
from ledger.errors import SealingHalted
from ledger.models import AnyLog, Book


def kept_file(log: AnyLog | Book) -> Path:
    """Return where the last checkpoint of a log is kept: a book and its log have one name."""
    return Path(settings.DATA_DIR, "checkpoints", str(log))


def kept_note(log: AnyLog | Book) -> notes.Note | None:
    """Return the last checkpoint that was signed of a log. Raises `SealingHalted`."""
    file = kept_file(log)
    try:
        note = notes.parse_note(file.read_bytes())
        notes.parse_checkpoint(note.text)
    except FileNotFoundError:
        return None
    except notes.NoteMalformed as error:
        raise SealingHalted(f"{file} holds no checkpoint: {error}") from error
    return note


def keep(log: AnyLog | Book, note: notes.Note) -> None:
    """Keep a checkpoint in place of the last one; it is on the disk when this returns."""
    file = kept_file(log)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    with new.open("w", encoding="utf-8") as stream:
        stream.write(str(note))
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
