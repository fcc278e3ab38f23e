"""The tree: roots and proofs against the definitions of RFC 9162, from nodes and from tiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import merkle, tiles
from ledger.merkle import EMPTY, ProofInvalid, leaf_hash, node_hash

# The tree and the roots that Certificate Transparency's implementations test themselves with.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243",
        "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def defined(leaves):
    """Return the root as §2.1.1 defines it."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else EMPTY
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(defined(leaves[:half]), defined(leaves[half:]))


def path_defined(index, leaves):
    """Return the path as §2.1.3.1 defines it."""
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if index < half:
        return [*path_defined(index, leaves[:half]), defined(leaves[half:])]
    return [*path_defined(index - half, leaves[half:]), defined(leaves[:half])]


def proof_defined(old, leaves, is_known=True):
    """Return the proof as §2.1.4.1 defines it."""
    if old == len(leaves):
        return [] if is_known else [defined(leaves)]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    if old <= half:
        return [*proof_defined(old, leaves[:half], is_known), defined(leaves[half:])]
    return [*proof_defined(old - half, leaves[half:], False), defined(leaves[:half])]


def tree_of(leaves):
    """Return the tiles of a tree, each computed from the leaves alone."""

    def read(level, index):
        span = 256**level
        starts = range(index * 256 * span, min((index + 1) * 256 * span, len(leaves)), span)
        full = [start for start in starts if start + span <= len(leaves)]
        return b"".join(defined(leaves[start : start + span]) for start in full)

    return tiles.Tiles(read)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_other_implementations(size):
    assert tree_of(LEAVES).root(size).hex() == ROOTS[size]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof_of_small_trees(size):
    leaves = [bytes([number]) for number in range(33)]
    tree, root = tree_of(leaves), defined(leaves[:size])

    assert tree.root(size) == root
    for index in range(size):
        path = tree.inclusion(index, size)
        assert path == path_defined(index, leaves[:size])
        merkle.check_inclusion(
            leaf=leaf_hash(leaves[index]), index=index, size=size, root=root, path=path
        )
    for old in range(1, size + 1):
        proof = tree.consistency(old, size)
        assert proof == proof_defined(old, leaves[:size])
        merkle.check_consistency(
            old=old, new=size, old_root=defined(leaves[:old]), new_root=root, path=proof
        )
    assert tree.consistency(0, size) == []
    merkle.check_consistency(old=0, new=size, old_root=EMPTY, new_root=root, path=[])


BIG = [number.to_bytes(3) for number in range(66_000)]
BIG_TREE = tree_of(BIG)


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537])
def test_trees_at_the_edges_of_tiles(size):
    assert BIG_TREE.root(size) == defined(BIG[:size])


@given(data=st.data())
def test_proofs_of_big_trees_hold_and_altered_ones_do_not(data):
    size = data.draw(st.integers(1, len(BIG)))
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    root, path = BIG_TREE.root(size), BIG_TREE.inclusion(index, size)
    proof = BIG_TREE.consistency(old, size)
    included = {"leaf": leaf_hash(BIG[index]), "index": index, "size": size, "root": root}
    consistent = {"old": old, "new": size, "old_root": BIG_TREE.root(old), "new_root": root}

    merkle.check_inclusion(**included, path=path)
    merkle.check_consistency(**consistent, path=proof)

    for wrong in alterations(path, data):
        with pytest.raises(ProofInvalid):
            merkle.check_inclusion(**included, path=wrong)
    for wrong in alterations(proof, data):
        with pytest.raises(ProofInvalid):
            merkle.check_consistency(**consistent, path=wrong)


def alterations(path, data):
    """Return what is nearly this path."""
    yield [*path, EMPTY]
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        yield [*path[:place], *path[place + 1 :]]
        yield [*path[:place], EMPTY, *path[place + 1 :]]
        yield [*path[:place], path[place][:31], *path[place + 1 :]]


ROOT = defined(LEAVES)


@pytest.mark.parametrize(
    "changes",
    [
        {"index": 4},
        {"index": 8},
        {"index": -1},
        {"size": 5},
        {"size": 0, "index": 0},
        {"size": 9},
        {"root": EMPTY},
        {"leaf": LEAVES[5]},
        # An interior node is no leaf: what is hashed into a leaf begins with another byte.
        {"leaf": node_hash(leaf_hash(LEAVES[4]), leaf_hash(LEAVES[5])), "index": 2, "size": 4},
    ],
)
def test_a_path_is_of_one_leaf_and_one_tree(changes):
    path = tree_of(LEAVES).inclusion(5, 8)
    proven = {"leaf": leaf_hash(LEAVES[5]), "index": 5, "size": 8, "root": ROOT}

    merkle.check_inclusion(**proven, path=path)
    with pytest.raises(ProofInvalid):
        merkle.check_inclusion(**{**proven, **changes}, path=path)


@pytest.mark.parametrize(
    "changes",
    [
        {"old": 4},
        {"old": 9},
        {"old": 0},
        {"old": -1},
        {"old": 8},
        {"new": 9},
        {"old_root": EMPTY},
        {"new_root": EMPTY},
        {"path": []},
    ],
)
def test_a_proof_is_of_two_trees(changes):
    tree = tree_of(LEAVES)
    proven = {
        "old": 5, "new": 8, "old_root": tree.root(5), "new_root": ROOT,
        "path": tree.consistency(5, 8),
    }  # fmt: skip

    merkle.check_consistency(**proven)
    with pytest.raises(ProofInvalid):
        merkle.check_consistency(**{**proven, **changes})


def test_a_proof_alone_says_little_about_sizes():
    # So a verifier takes sizes from signed checkpoints only.
    tree = tree_of(LEAVES)

    merkle.check_inclusion(
        leaf=leaf_hash(LEAVES[5]), index=5, size=7, root=ROOT, path=tree.inclusion(5, 8)
    )
    merkle.check_consistency(
        old=5, new=7, old_root=tree.root(5), new_root=ROOT, path=tree.consistency(5, 8)
    )


@pytest.mark.parametrize("size", [1, 8])
def test_a_tree_is_consistent_with_itself_and_no_other_of_its_size(size):
    root = tree_of(LEAVES).root(size)
    same = {"old": size, "new": size, "old_root": root}

    merkle.check_consistency(**same, new_root=root, path=[])
    with pytest.raises(ProofInvalid):
        merkle.check_consistency(**same, new_root=EMPTY, path=[])
    with pytest.raises(ProofInvalid):
        merkle.check_consistency(**same, new_root=root, path=[root])


def test_the_beginning_of_every_tree_is_empty():
    with pytest.raises(ProofInvalid):
        merkle.check_consistency(old=0, new=8, old_root=ROOT, new_root=ROOT, path=[])


# Tiles


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, []),
        (1, [(0, 0, 1)]),
        (255, [(0, 0, 255)]),
        (256, [(0, 0, 256), (1, 0, 1)]),
        (257, [(0, 0, 256), (0, 1, 1), (1, 0, 1)]),
    ],
)
def test_a_tree_has_these_tiles(size, expected):
    assert [*tiles.tiles_of(size)] == expected


def test_the_specifications_example():
    shown = [*tiles.tiles_of(70_000)]

    assert len(shown) == 273 + 1 + 1 + 1 + 1
    assert shown[273:] == [(0, 273, 112), (1, 0, 256), (1, 1, 17), (2, 0, 1)]


@given(since=st.integers(0, 70_000), more=st.integers(0, 70_000))
def test_what_is_new_in_a_grown_tree(since, more):
    new = {*tiles.tiles_of(since + more)} - {*tiles.tiles_of(since)}

    assert new == {*tiles.tiles_of(since + more, since)}


@pytest.mark.parametrize(
    ("level", "index", "width", "expected"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 999, 256, "tile/0/999"),
        (0, 1000, 5, "tile/0/x001/000.p/5"),
        (2, 1_234_067, 256, "tile/2/x001/x234/067"),
        ("entries", 1_234_067, 255, "tile/entries/x001/x234/067.p/255"),
    ],
)
def test_where_a_tile_is(level, index, width, expected):
    assert tiles.path_of(level, index, width) == expected


def test_a_bundle_has_each_line_after_its_length():
    assert tiles.bundle_of([b"", b"a" * 258]) == b"\x00\x00\x01\x02" + b"a" * 258


@pytest.mark.parametrize("length", [0, 31, 32, 63])
def test_a_tile_that_ends_too_early_proves_nothing(length):
    tree = tiles.Tiles(lambda _level, _index: bytes(length))

    with pytest.raises(tiles.TileMissing, match="tile/0/000 has no hash 1"):
        tree.root(2)
