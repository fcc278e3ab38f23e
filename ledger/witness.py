"""
A witness of logs (C2SP tlog-witness): it cosigns what goes on from all that it has seen of a log.

It keeps the last checkpoint of each log in a small database of its own, and needs nothing else.
https://c2sp.org/tlog-witness
"""

import logging
import os
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger import notes
from ledger.merkle import ProofInvalid, check_consistency
from ledger.policy import parse_policy

logger = logging.getLogger("almoner.witness")

PROOF_LINES_MAX = 63
OLD = re.compile(r"old (\S+)\Z")
TABLE = """
    CREATE TABLE IF NOT EXISTS checkpoint (
        origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL
    ) STRICT
"""
KEEP = """
    INSERT INTO checkpoint VALUES (?, ?, ?)
    ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root
"""


class Refused(Exception):
    """A checkpoint that is not cosigned: the HTTP status says why, the text more."""

    def __init__(self, status: int, text: str) -> None:
        """Say why."""
        super().__init__(text)
        self.status = status


class SizeConflict(Refused):
    """The witness has seen another size last; the text is that size."""


class KnownLogs(dict[str, notes.Key]):
    """
    The keys of logs by their origins: some that are given, and those of a policy file.

    The file is read again when it changes. What is no longer in it is known until the next start.
    """

    def __init__(self, keys: Iterable[notes.Key], file: Path | None = None) -> None:
        """Take the keys and read the file. Raises `ValueError`, `OSError`."""
        super().__init__({key.name: key for key in keys})
        self.file, self.stamp = file, (0, 0)
        self._read()

    def __contains__(self, origin: object) -> bool:
        """Tell whether a log is known, now."""
        try:
            self._read()
        except (ValueError, OSError) as error:
            logger.error("the logs were not read again", extra={"reason": str(error)})
        return super().__contains__(origin)

    def _read(self) -> None:
        if self.file is None:
            return
        status = self.file.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self.stamp:
            self.stamp = stamp
            self.update(
                {log.key.name: log.key for log in parse_policy(self.file.read_bytes()).logs}
            )


class Witness:
    """One witness: its name and key, the logs that it knows by their origins, and its folder."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        logs: Mapping[str, notes.Key],
        clock: Callable[[], float],
    ) -> None:
        """Open the folder; a new one gets a new key."""
        self.name, self.logs, self.clock = name, logs, clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.private = _seed_in(folder / "seed")
        self.file = folder / "witness.sqlite3"
        with self._database() as database:
            database.execute(TABLE)

    @property
    def vkey(self) -> str:
        """Return what those who trust this witness put into their policies."""
        public = self.private.public_key().public_bytes_raw()
        return str(notes.Key(self.name, notes.COSIGNATURE, public))

    def add_checkpoint(self, body: bytes) -> str:
        """Return the signature line for a request's checkpoint. Raises `Refused`."""
        try:
            old, proof, note = _request_in(body)
            checkpoint = notes.parse_checkpoint(note.text)
        except notes.NoteMalformed as error:
            raise Refused(400, str(error)) from error
        self._check_signature(note, checkpoint)
        if old > checkpoint.size:
            raise Refused(400, "The old size is larger than the new one.")
        with self._database() as database:
            # One at a time: what is checked against is still the last when it is replaced.
            database.execute("BEGIN IMMEDIATE")
            self._check_goes_on(database, old, proof, checkpoint)
            database.execute(KEEP, [checkpoint.origin, checkpoint.size, checkpoint.root])
            database.execute("COMMIT")
        signature = notes.cosign(self.private, self.name, note.text, unix_time=int(self.clock()))
        return f"{signature}\n"

    def _check_signature(self, note: notes.Note, checkpoint: notes.Checkpoint) -> None:
        if checkpoint.origin not in self.logs:
            raise Refused(404, "This witness does not know the log.")
        try:
            is_signed = note.signed_by([self.logs[checkpoint.origin]])
        except notes.SignatureWrong as error:
            raise Refused(403, str(error)) from error
        if not is_signed:
            raise Refused(403, "The log's key did not sign this checkpoint.")

    @staticmethod
    def _check_goes_on(
        database: sqlite3.Connection, old: int, proof: list[bytes], new: notes.Checkpoint
    ) -> None:
        found = database.execute(
            "SELECT size, root FROM checkpoint WHERE origin = ?", [new.origin]
        ).fetchone()
        size, root = found or (0, b"")
        if old != size:
            raise SizeConflict(409, f"{size}\n")
        if size and size == new.size and root != new.root:
            raise Refused(409, "Another tree of this size was cosigned.")
        try:
            if size:
                check_consistency(
                    old=size, new=new.size, old_root=root, new_root=new.root, path=proof
                )
            elif proof:
                raise ProofInvalid("Nothing needs to show that a log begins empty.")
        except ProofInvalid as error:
            raise Refused(422, str(error)) from error

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.file, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = FULL")
            yield database


def _request_in(body: bytes) -> tuple[int, list[bytes], notes.Note]:
    head, separator, note = body.partition(b"\n\n")
    first, *proof = head.decode("ascii", "replace").split("\n")
    match = OLD.match(first)
    if not match or not separator or len(proof) > PROOF_LINES_MAX:
        raise notes.NoteMalformed("A request is an old size, at most 63 hashes and a checkpoint.")
    return notes.decode_size(match[1]), list(map(notes.decode_hash, proof)), notes.parse_note(note)


def _seed_in(file: Path) -> Ed25519PrivateKey:
    if not file.exists():
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            stream.write(os.urandom(notes.KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    return Ed25519PrivateKey.from_private_bytes(file.read_bytes())
