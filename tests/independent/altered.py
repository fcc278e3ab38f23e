"""What we signed, altered: each time something that nobody may accept."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence

from tests.ledger.test_log import read

Consistency = tuple[str, str, Sequence[bytes]]


def bent(value: bytes, at: int = -1) -> bytes:
    """Return bytes of which one is another."""
    changed = bytearray(value)
    changed[at] ^= 1
    return bytes(changed)


def bent_base64(text: str, at: int = -1) -> str:
    return b64encode(bent(b64decode(text), at)).decode()


def checkpoints(note: str) -> Iterator[str]:
    origin, size, root, _, signature, *rest = note.split("\n")
    mark, name, blob = signature.split(" ")
    for body in (
        [f"{origin}x", size, root],
        [origin, str(int(size) + 1), root],
        [origin, size, bent_base64(root)],
    ):
        yield "\n".join([*body, "", signature, *rest])
    for changed in (bent_base64(blob), bent_base64(blob, 20)):
        yield "\n".join([origin, size, root, "", f"{mark} {name} {changed}", *rest])


def receipts(receipt: str) -> Iterator[str]:
    line, index, path, note = read(receipt)
    size = int(note.split("\n")[1])
    yield written(bent(line), index, path, note)
    if size > 1:
        yield written(line, index - 1 if index else 1, path, note)
        yield written(line, index, [bent(path[0]), *path[1:]], note)
        yield written(line, index, path[:-1], note)
    yield written(line, index, [*path, path[0] if path else bytes(32)], note)
    for changed in checkpoints(note):
        yield written(line, index, path, changed)


def consistencies(consistency: Consistency) -> Iterator[Consistency]:
    old, new, proof = consistency
    yield old, new, [bent(proof[0]), *proof[1:]]
    yield old, new, [*proof[:-1], bent(proof[-1])]
    yield old, new, proof[:-1]
    yield old, new, [*proof, proof[0]]
    yield new, old, proof
    for changed in checkpoints(new):
        yield old, changed, proof


def cosigned(receipt: str, other: str) -> Iterator[str]:
    """Alter the cosignature; `other` is a receipt of another checkpoint of the log."""
    before, mark, line = receipt.rpartition("\n— ")
    name, blob = line.split()
    yield f"{before}\n"
    yield before + other[other.rindex("\n— ") :]
    # The key's id is 4 bytes, the time 8, the signature 64.
    for at in (3, 11, 12, 75):
        yield f"{before}{mark}{name} {bent_base64(blob, at)}\n"


def written(line: bytes, index: int, path: Sequence[bytes], note: str) -> str:
    """Write a receipt."""
    head = ["c2sp.org/tlog-proof@v1", f"extra {b64encode(line).decode()}", f"index {index}"]
    return "\n".join([*head, *(b64encode(step).decode() for step in path), "", note])
