"""
Merkle trees of logs (RFC 9162 §2.1): hashes, roots, proofs of inclusion and of consistency. Pure.

`node(level, index)` is the root of the full subtree of the 2^level leaves from index · 2^level on.
Whoever can answer that can prove everything; `ledger/tiles.py` answers it from stored tiles.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY = sha256(b"").digest()

Node = Callable[[int, int], bytes]


class ProofInvalid(ValueError):
    """A proof does not lead from what it is about to the root."""


def leaf_hash(line: bytes) -> bytes:
    """Return the hash of one entry."""
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an interior node."""
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """Return the largest power of two that is smaller than a size of 2 or more."""
    return 1 << ((size - 1).bit_length() - 1)


def root_of(start: int, stop: int, node: Node) -> bytes:
    """Return the root of the leaves from `start` to before `stop`."""
    size = stop - start
    if size == 0:
        return EMPTY
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + split(size)
    return node_hash(root_of(start, middle, node), root_of(middle, stop, node))


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """Return the path from a leaf to the root of the first `size` leaves (§2.1.3.1)."""
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + split(stop - start)
        if index < middle:
            path.append(root_of(middle, stop, node))
            stop = middle
        else:
            path.append(root_of(start, middle, node))
            start = middle
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """Return what shows that the first `old` leaves are those of the `new` tree (§2.1.4.1)."""
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, stop = 0, new
    while stop != old:
        middle = start + split(stop - start)
        if old <= middle:
            path.append(root_of(middle, stop, node))
            stop = middle
        else:
            path.append(root_of(start, middle, node))
            start = middle
    # The verifier knows the root of the first leaves: it is the old tree's.
    if start:
        path.append(root_of(start, stop, node))
    return path[::-1]


def check_inclusion(
    *, leaf: bytes, index: int, size: int, root: bytes, path: Sequence[bytes]
) -> None:
    """Raise `ProofInvalid` unless the path leads from the leaf to the root (§2.1.3.2)."""
    if not 0 <= index < size:
        raise ProofInvalid("The tree has no such leaf.")
    steps = list(path)
    if _climb(leaf, index, size, steps) != root or steps:
        raise ProofInvalid("The path does not lead from the leaf to the root.")


def check_consistency(
    *, old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise `ProofInvalid` unless the new tree begins with the old one (§2.1.4.2)."""
    if not 0 <= old <= new:
        raise ProofInvalid("The new tree is smaller than the old one.")
    steps = list(path)
    # The empty tree is the beginning of every tree, and nothing needs to show it.
    found = _climb_both(old_root, old, new, steps) if old else (EMPTY, new_root)
    if found != (old_root, new_root) or steps:
        raise ProofInvalid("The proof does not lead to both roots.")


def _climb(leaf: bytes, index: int, size: int, steps: list[bytes]) -> bytes:
    # The root of `size` leaves of which one is known; the last step is the uppermost.
    if size == 1:
        return leaf
    sibling, middle = _last(steps), split(size)
    if index < middle:
        return node_hash(_climb(leaf, index, middle, steps), sibling)
    return node_hash(sibling, _climb(leaf, index - middle, size - middle, steps))


def _climb_both(
    old_root: bytes | None, old: int, size: int, steps: list[bytes]
) -> tuple[bytes, bytes]:
    # The roots of the first `old` and of all `size` leaves. Where nothing stands to the left, the
    # old tree's root is known; elsewhere the proof has what both trees share.
    if old == size:
        shared = old_root or _last(steps)
        return shared, shared
    sibling, middle = _last(steps), split(size)
    if old <= middle:
        older, newer = _climb_both(old_root, old, middle, steps)
        return older, node_hash(newer, sibling)
    older, newer = _climb_both(None, old - middle, size - middle, steps)
    return node_hash(sibling, older), node_hash(sibling, newer)


def _last(steps: list[bytes]) -> bytes:
    if not steps:
        raise ProofInvalid("The proof is too short.")
    return steps.pop()
