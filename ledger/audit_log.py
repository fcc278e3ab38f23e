"""
The audit of a log: its tiles follow from its leaves, and what was signed from its tiles.

Run in the snapshot of a book's audit, after its entries were found to be sound; and for the heads
log, `ledger/audit_heads.py`.
"""

from collections.abc import Iterator, Mapping

from django.db import connection

from ledger import notes
from ledger.audit_rules import BookBroken, Verdict
from ledger.errors import SealingHalted
from ledger.merkle import HASH_BYTES
from ledger.models import AnyLog
from ledger.services.checkpoints import kept_note
from ledger.tiles import TILE_BYTES, WIDTH, subtree

LEAVES = """
    SELECT number, leaf.hashes, tile.hashes
    FROM {function}({places}0, %s) AS leaf
    FULL JOIN (SELECT number, hashes FROM {table} WHERE {key}level = 0) AS tile USING (number)
    WHERE leaf.hashes IS DISTINCT FROM tile.hashes ORDER BY number LIMIT 1
"""
HASHES = range(0, TILE_BYTES, HASH_BYTES)


class LogAudit:
    """The audit of one log; made before the snapshot: what is kept outside may not be newer."""

    def __init__(self, log: AnyLog) -> None:
        """Read what is kept outside the database."""
        self.log = log
        self.kept: notes.Note | None = None
        self.unreadable = ""
        try:
            self.kept = kept_note(log)
        except SealingHalted as error:
            self.unreadable = str(error)

    def check(self, size: int, keys: Mapping[str, int]) -> int:
        """
        Return how many of a log's `size` leaves are sealed. Raises `BookBroken`.

        `keys` are the log's vkeys, each with the leaf from which it is in force.
        """
        if self.unreadable:
            raise BookBroken(self.unreadable, verdict=Verdict.MALFORMED)
        rows = type(self.log)._default_manager.filter(**self.log.key)
        sealed = rows.values_list("size", flat=True).first() or 0
        signed = self._signed(keys)
        for checkpoint in signed:
            if checkpoint.size > size:
                reason = f"{checkpoint.size:,} {self.log.noun} were signed and {size:,} are here"
                raise BookBroken(reason, verdict=Verdict.INCOMPLETE)
        self._check_leaves(sealed)
        self._check_nodes()
        for checkpoint in signed:
            self._check_root(checkpoint)
        return sealed

    def _signed(self, keys: Mapping[str, int]) -> list[notes.Checkpoint]:
        try:
            last = self.log.checkpoints().first()
            stored = [notes.parse_note(last.note.encode())] if last else []
            return [self._checkpoint(note, keys) for note in (*stored, self.kept) if note]
        except notes.NoteMalformed as error:
            raise BookBroken(str(error), verdict=Verdict.MALFORMED) from error
        except notes.SignatureWrong as error:
            raise BookBroken(str(error)) from error

    def _checkpoint(self, note: notes.Note, keys: Mapping[str, int]) -> notes.Checkpoint:
        checkpoint = notes.parse_checkpoint(note.text)
        known = {_key(vkey, since): since for vkey, since in keys.items()}
        signers = note.signed_by(known)
        in_force = [key for key, since in known.items() if since < max(checkpoint.size, 1)][-1:]
        if checkpoint.origin != self.log.origin or not signers.keys() & set(in_force):
            reason = f"no known key signed the checkpoint of {checkpoint.origin}"
            raise BookBroken(reason, verdict=Verdict.UNKNOWN_KEY)
        return checkpoint

    def _check_leaves(self, size: int) -> None:
        key = self.log.key
        statement = LEAVES.format(
            function=self.log.LEAVES,
            places="%s, " * len(key),
            table=self.log.tile_rows().model._meta.db_table,
            key="".join(f"{column} = %s AND " for column in key),
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [*key.values(), size, *key.values()])
            row = cursor.fetchone()
        if row:
            number, ours, theirs = row
            sequence = number * WIDTH + _first_difference(ours or b"", theirs or b"")
            raise BookBroken("the log has another entry in its place", sequence)

    def _check_nodes(self) -> None:
        level, above = 0, b"?"
        while above:
            filled = [each for each in self._tiles(level) if len(each) == TILE_BYTES]
            level, above = level + 1, b"".join(self._tiles(level + 1))
            if b"".join(map(subtree, filled)) != above:
                raise BookBroken(f"the log's tiles of level {level} do not follow from those below")

    def _tiles(self, level: int) -> Iterator[bytes]:
        rows = self.log.tile_rows().filter(level=level).order_by("number")
        return map(bytes, rows.values_list("hashes", flat=True).iterator())

    def _check_root(self, checkpoint: notes.Checkpoint) -> None:
        if self.log.tiles().root(checkpoint.size) != checkpoint.root:
            reason = f"the first {checkpoint.size:,} {self.log.noun} are not those that were signed"
            raise BookBroken(reason)


def _key(vkey: str, sequence: int) -> notes.Key:
    try:
        return notes.parse_key(vkey)
    except notes.NoteMalformed as error:
        raise BookBroken(str(error), sequence, Verdict.MALFORMED) from error


def _first_difference(ours: bytes, theirs: bytes) -> int:
    pairs = ((ours[at : at + HASH_BYTES], theirs[at : at + HASH_BYTES]) for at in HASHES)
    return next(place for place, (one, other) in enumerate(pairs) if one != other)
