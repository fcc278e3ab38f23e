"""
Tiles of a log: where they are, and the tree from them (C2SP tlog-tiles). Pure.

Tile `number` of a `level` has up to 256 hashes, each the root of 256^level leaves. What is partial
today is the beginning of what is full tomorrow, so one growing tile serves every size.
https://c2sp.org/tlog-tiles
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from ledger import merkle
from ledger.merkle import HASH_BYTES, node_hash

HEIGHT = 8
WIDTH = 2**HEIGHT
TILE_BYTES = WIDTH * HASH_BYTES
# A proof touches two tiles a level, at most; a log of 2^53 entries has seven levels.
CACHED = 64

ReadTile = Callable[[int, int], bytes]


class TileMissing(ValueError):
    """A tile ends before the hash that is asked for."""


class Tile(NamedTuple):
    """One tile of a tree of some size: its `width` is 256 unless it is the level's last."""

    level: int
    number: int
    width: int


class Tiles:
    """A tree, read from its tiles: `read(level, number)` returns as many hashes as there are."""

    def __init__(self, read: ReadTile) -> None:
        """Read each tile once."""
        self.read = lru_cache(CACHED)(read)

    def root(self, size: int) -> bytes:
        """Return the root of the first leaves."""
        return merkle.root_of(0, size, self._node)

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the path from a leaf to the root of the first `size`."""
        return merkle.inclusion(index, size, self._node)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return what shows that a tree begins with an older one."""
        return merkle.consistency(old, new, self._node)

    def _node(self, height: int, index: int) -> bytes:
        level, rest = divmod(height, HEIGHT)
        tile, place = divmod(index << rest, WIDTH)
        hashes = self.read(level, tile)[place * HASH_BYTES : (place + 2**rest) * HASH_BYTES]
        if len(hashes) != HASH_BYTES << rest:
            raise TileMissing(f"{path_of(level, tile)} has no hash {place + 2**rest - 1}.")
        return subtree(hashes)


def subtree(hashes: bytes) -> bytes:
    """Return the root of a power of two of hashes that stand one after the other."""
    level = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(level) > 1:
        level = list(map(node_hash, level[::2], level[1::2]))
    return level[0]


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Return the tiles of a tree of `size` leaves that a tree of `since` did not have so."""
    level = 0
    while size:
        full, width = divmod(size, WIDTH)
        for number in range(since // WIDTH, full):
            yield Tile(level, number, WIDTH)
        if width and size != since:
            yield Tile(level, full, width)
        level, size, since = level + 1, full, since // WIDTH


def path_of(level: int | str, number: int, width: int = WIDTH) -> str:
    """Return the path of a tile below its log: `tile/0/x001/234.p/5`."""
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def bundle_of(lines: Iterable[bytes]) -> bytes:
    """Return an entry bundle: each line after its length in two bytes, big-endian."""
    return b"".join(len(line).to_bytes(2) + line for line in lines)


def lines_in(bundle: bytes) -> Iterator[bytes]:
    """Return the lines of an entry bundle. Raises `TileMissing` where it ends within one."""
    at = 0
    while at < len(bundle):
        start = at + 2
        at = start + int.from_bytes(bundle[at:start])
        if at > len(bundle):
            raise TileMissing("The bundle ends within an entry.")
        yield bundle[start:at]
