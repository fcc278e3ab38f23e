"""
Programs of others that read a log's formats. Each says whether it accepts what we signed.

What a program cannot do it has no method for, and the tests do not ask it.
"""

import subprocess
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import metamorphic_log
import proofbundle.checkpoint
import proofbundle.merkle
import proofbundle.tlogproof
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from metamorphic_log import VerifyError
from proofbundle.errors import ProofBundleError
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash
from tlog_scales.tlog import (
    Checkpoint,
    ConsistencyProof,
    ConsistencyProofInvalid,
    InclusionProof,
    InclusionProofInvalid,
)

from tests.independent.go import built
from tests.independent.page import saved
from tests.ledger.test_log import read

READER = Path(__file__).with_name("reader.go")


class Keys(NamedTuple):
    """The verifier keys of a log and of its witness."""

    log: str
    witness: str


class Program:
    """A program, and a folder for its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, name: str, content: bytes | str) -> str:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def hashes(self, proof: Sequence[bytes]) -> str:
        return self.file("proof", "".join(f"{b64encode(step).decode()}\n" for step in proof))


class Go(Program):
    """golang.org/x/mod/sumdb, which Go trusts its modules to: note and tlog."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.by_hand = saved("go", folder)
        source = folder / READER.name
        source.write_bytes(READER.read_bytes())
        self.reader = str(built(source))

    def checkpoint(self, keys: Keys, note: str) -> bool:
        return accepts([self.reader, "signed", keys.log], note)

    def receipt(self, keys: Keys, receipt: str) -> bool:
        return accepts([*self.by_hand, self.file("receipt", receipt), keys.log])

    def consistency(self, keys: Keys, old: str, new: str, proof: Sequence[bytes]) -> bool:
        files = [self.file("old", old), self.file("new", new), self.hashes(proof)]
        return accepts([self.reader, "consistency", keys.log, *files])

    def cosigned(self, keys: Keys, receipt: str) -> bool:
        is_cosigned = accepts([self.reader, "signed", *keys], read(receipt)[3])
        return is_cosigned and self.receipt(keys, receipt)


class OpenSsl(Program):
    """OpenSSL 3: what is signed; hashes too, by the script of docs/receipts.md."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.by_hand = saved("sh", folder)

    def checkpoint(self, keys: Keys, note: str) -> bool:
        text, signature = signed_by(keys.log, note)
        return self._verifies(keys.log, text.encode(), signature)

    def receipt(self, keys: Keys, receipt: str) -> bool:
        return accepts([*self.by_hand, self.file("receipt", receipt), keys.log], codes=(1, 13))

    def cosigned(self, keys: Keys, receipt: str) -> bool:
        text, signature = signed_by(keys.witness, read(receipt)[3])
        moment = int.from_bytes(signature[:8])
        message = f"cosignature/v1\ntime {moment}\n{text}".encode()
        is_cosigned = self._verifies(keys.witness, message, signature[8:])
        return is_cosigned and self.receipt(keys, receipt)

    def _verifies(self, vkey: str, message: bytes, signature: bytes) -> bool:
        public = Ed25519PublicKey.from_public_bytes(Vkey.from_string(vkey).pubkey)
        key = self.file("key", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
        files = ["-in", self.file("text", message), "-sigfile", self.file("signature", signature)]
        verify = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"]
        return accepts([*verify, "-inkey", key, *files])


class TlogScales(Program):
    """The package tlog-scales."""

    refusals = (
        InvalidSignature,
        InclusionProofInvalid,
        ConsistencyProofInvalid,
        RuntimeError,
        ValueError,
    )

    def checkpoint(self, keys: Keys, note: str) -> bool:
        return not refused(self.refusals, self._opened, note, keys.log)

    def receipt(self, keys: Keys, receipt: str) -> bool:
        return not refused(self.refusals, self._check, receipt, keys.log)

    def consistency(self, keys: Keys, old: str, new: str, proof: Sequence[bytes]) -> bool:
        def check() -> None:
            first, second = self._opened(old, keys.log), self._opened(new, keys.log)
            between = ConsistencyProof(first.size, second.size, list(proof))
            between.check(first.root_hash, second.root_hash)

        return not refused(self.refusals, check)

    def cosigned(self, keys: Keys, receipt: str) -> bool:
        return not refused(self.refusals, self._check, receipt, *keys)

    def _check(self, receipt: str, *vkeys: str) -> None:
        line, index, path, note = read(receipt)
        checkpoint = self._opened(note, *vkeys)
        proof = InclusionProof(index, checkpoint.size, path)
        proof.check(leaf_hash(line), checkpoint.root_hash)

    @staticmethod
    def _opened(note: str, *vkeys: str) -> Checkpoint:
        checkpoint = Checkpoint.from_text(note)
        for vkey in vkeys:
            checkpoint.verify(Vkey.from_string(vkey))
        return checkpoint


class ProofBundle(Program):
    """The package proofbundle, which reads receipts as they are."""

    def checkpoint(self, keys: Keys, note: str) -> bool:
        return self._opened(keys, note) is not None

    def receipt(self, keys: Keys, receipt: str) -> bool:
        return self._verified(receipt, keys.log)

    def consistency(self, keys: Keys, old: str, new: str, proof: Sequence[bytes]) -> bool:
        first, second = self._opened(keys, old), self._opened(keys, new)
        if not first or not second:
            return False
        sizes, roots = zip(first, second, strict=True)
        return proofbundle.merkle.verify_consistency(*sizes, list(proof), *roots)

    def cosigned(self, keys: Keys, receipt: str) -> bool:
        return self._verified(receipt, keys.log, [keys.witness], threshold=1)

    @staticmethod
    def _verified(receipt: str, *vkeys: object, **options: int) -> bool:
        found = proofbundle.tlogproof.verify_tlog_proof(
            receipt, read(receipt)[0], *vkeys, **options
        )
        return bool(found["ok"])

    @staticmethod
    def _opened(keys: Keys, note: str) -> tuple[int, bytes] | None:
        try:
            found = proofbundle.checkpoint.verify_checkpoint(note, keys.log)
        except ProofBundleError:
            return None
        return (found["tree_size"], found["root"]) if found["ok"] else None


class MetamorphicLog(Program):
    """The package metamorphic-log, in Rust; it knows no witnesses with Ed25519."""

    def checkpoint(self, keys: Keys, note: str) -> bool:
        return not refused((VerifyError,), metamorphic_log.checkpoint_verify, note, [keys.log])

    def receipt(self, keys: Keys, receipt: str) -> bool:
        line, index, path, note = read(receipt)
        verify = metamorphic_log.checkpoint_verify_inclusion
        return not refused((VerifyError,), verify, note, [keys.log], index, leaf_hash(line), path)

    def consistency(self, keys: Keys, old: str, new: str, proof: Sequence[bytes]) -> bool:
        verify = metamorphic_log.checkpoint_verify_consistency
        return not refused((VerifyError,), verify, old, new, [keys.log], list(proof))


PROGRAMS = [Go, OpenSsl, TlogScales, ProofBundle, MetamorphicLog]


def accepts(command: Sequence[str], text: str = "", codes: Sequence[int] = (1,)) -> bool:
    """Run a command line: it accepts, or it refuses by one of the exit codes; it may not break."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode in (0, *codes), done.stderr
    assert "Traceback" not in done.stderr
    return done.returncode == 0


def said_by(command: Sequence[str], text: str = "") -> str:
    """Return what a command line prints when all is well."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(refusals: tuple[type[Exception], ...], function, *arguments: object) -> bool:
    """Tell whether a function refuses, by one of its errors."""
    try:
        function(*arguments)
    except refusals:
        return True
    return False


def signed_by(vkey: str, note: str) -> tuple[str, bytes]:
    """Return the text of a note, and the signature that a key is said to have made."""
    checkpoint, key = Checkpoint.from_text(note), Vkey.from_string(vkey)
    [signature] = [each.payload for each in checkpoint.signatures if key.match(each)] or [b""]
    return checkpoint.serialize_body(), signature
