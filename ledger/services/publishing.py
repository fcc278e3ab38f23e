"""Writing a public log as static files, which any file server or object store can host."""

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from ledger import notes
from ledger.log import ENTRIES, read_tile
from ledger.models import AnyLog
from ledger.tiles import path_of, tiles_of
from ledger.witnessing import cosigned_note


def publish_log(*, log: AnyLog, storage: Storage) -> int:
    """
    Write what a log has that its files have not; return how many leaves they have then.

    The names are the paths of our own URLs. The checkpoint is written last, so that it never needs
    a file that is not there. What was cut off is written again: the storage must not mind.
    """
    checkpoint = log.checkpoints().first()
    if checkpoint is None:
        return 0
    size: int = checkpoint.size
    folder = log.path
    for level, number, width in tiles_of(size, _published(storage, folder)):
        for name in [str(level), *([ENTRIES] if level == 0 else [])]:
            content = read_tile(log, name, number, width)
            assert content is not None, "the checkpoint needs this tile"
            storage.save(f"{folder}/{path_of(name, number, width)}", ContentFile(content))
    storage.save(f"{folder}/checkpoint", ContentFile(cosigned_note(checkpoint).encode()))
    return size


def _published(storage: Storage, folder: str) -> int:
    try:
        with storage.open(f"{folder}/checkpoint") as file:
            return notes.parse_checkpoint(notes.parse_note(file.read()).text).size
    except (FileNotFoundError, notes.NoteMalformed):
        return 0
