"""
What is signed of a book, and every way to fake it, with the verdict that every verifier must reach.

A case is what somebody has (an export, a receipt, checkpoints), whose word they take, and the
verdict.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tests.ledger.test_merkle import defined, leaf_hash, path_defined
from tests.verifier.books import chained, entry_at, export_of, genesis, line_of
from tests.verifier.signing import (
    LOG,
    ORIGIN,
    OTHER,
    VKEY,
    WITNESS_VKEYS,
    WITNESSES,
    body_of,
    cosigned,
    key_id_of,
    note_of,
    receipt_of,
    signed,
    vkey_of,
)
from tests.verifier.signing import line_of as signature_of

ELSEWHERE = "org_01jfa0000000000000000000bb"


@dataclass(frozen=True)
class Case:
    """`kind` is a command of the verifier; `first` and `second` are what it is given."""

    name: str
    verdict: str
    kind: str
    first: bytes
    second: str = ""
    sequence: int | None = None
    keys: Sequence[str] = (VKEY,)
    witnesses: Sequence[str] = ()
    quorum: int | None = None
    policy: str = ""
    remembered: str = ""
    export: bytes = field(default=b"")


def book(size: int, **changes: object) -> list[bytes]:
    """Return a book whose genesis names the log's key; `changes` are for entry 2."""
    first = genesis(metadata={"origin": ORIGIN, "profile": 1, "vkey": VKEY})
    rest = [entry_at(place, **(changes if place == 2 else {})) for place in range(1, size)]
    return chained([first, *rest])


LINES = book(6)
NOTE = note_of(body_of(LINES))
BODY = body_of(LINES)
OTHER_BOOK = book(6, amount=1)


def exported(name: str, verdict: str, lines: list[bytes], note: str = NOTE, **fields) -> Case:
    """Return the case of an export beside a checkpoint."""
    return Case(f"export: {name}", verdict, "export", export_of(lines), note, **fields)


def received(name: str, verdict: str, receipt: str, **fields) -> Case:
    """Return the case of a receipt."""
    return Case(f"receipt: {name}", verdict, "receipt", receipt.encode(), **fields)


def exports() -> Iterator[Case]:
    """Return a book beside what was signed of it."""
    for size in (1, 2, 3, 255, 256, 257):
        lines = book(size)
        yield exported(f"{size} entries", "VALID", lines, note_of(body_of(lines)))
    yield exported("the key of the genesis", "VALID", LINES, keys=())
    yield exported("entries that are not signed yet", "VALID", book(9))
    yield exported("an amount edited", "TAMPERED", edited_book(2, amount=1), sequence=2)
    yield exported("edited, all later hashes recomputed", "TAMPERED", OTHER_BOOK)
    yield exported("the same, signed anew", "VALID", OTHER_BOOK, note_of(body_of(OTHER_BOOK)))
    yield exported("the tail cut", "INCOMPLETE", LINES[:4])
    yield exported("the tail cut, signed anew", "VALID", LINES[:4], note_of(body_of(LINES[:4])))
    yield exported("nothing", "INCOMPLETE", [])


def rewritings() -> Iterator[Case]:
    """Return books written anew, and others' books."""
    yield exported("entries swapped", "TAMPERED", renumbered([0, 1, 3, 2, 4, 5]))
    yield exported("an entry removed", "TAMPERED", renumbered([0, 1, 3, 4, 5, 6]))
    yield exported("an entry put in", "TAMPERED", renumbered([0, 1, 7, 2, 3, 4, 5]))
    yield exported("back-dated", "TAMPERED", book(6, occurred_at="2020-01-01T00:00:00Z"))
    other = chained([json.loads(line) | {"organisation_id": ELSEWHERE} for line in unlinked(LINES)])
    yield exported("the export of another organisation", "TAMPERED", other)
    foreign = body_of(LINES, origin=f"ledger.example/log/{ELSEWHERE}")
    yield exported("the checkpoint of another organisation", "UNKNOWN_KEY", LINES, note_of(foreign))
    fake = vkey_of(ORIGIN, 1, OTHER)
    new = chained([genesis(metadata={"origin": ORIGIN, "profile": 1, "vkey": fake})])
    replaced = note_of(body_of(new), signed(body_of(new), OTHER))
    yield exported("the whole chain replaced", "UNKNOWN_KEY", new, replaced)
    yield exported("the same, believing it", "VALID", new, replaced, keys=())
    no_key = chained([genesis(metadata={"origin": ORIGIN, "profile": 1})])
    yield exported("a genesis without a key", "MALFORMED", no_key, replaced, sequence=0, keys=())


def signatures() -> Iterator[Case]:
    """Return signatures by others, and wrong ones."""
    good = signed(BODY)
    named_alike = signed(BODY, OTHER)
    with_our_id = signature_of(ORIGIN, key_id_of(ORIGIN, 1, LOG), OTHER.sign(BODY.encode()))
    short = signature_of(ORIGIN, key_id_of(ORIGIN, 1, LOG), b"x" * 63)
    yield exported("a key of the same name", "UNKNOWN_KEY", LINES, note_of(BODY, named_alike))
    yield exported(
        "a key of another name", "UNKNOWN_KEY", LINES, note_of(BODY, signed(BODY, name="x"))
    )
    yield exported("an unknown one beside ours", "VALID", LINES, note_of(BODY, named_alike, good))
    yield exported("a forged signature", "TAMPERED", LINES, note_of(BODY, with_our_id))
    yield exported("a short signature", "TAMPERED", LINES, note_of(BODY, short))
    for lines in ((good, with_our_id), (with_our_id, good)):
        yield exported("a good and a bad one", "TAMPERED", LINES, note_of(BODY, *lines))
    yield exported(
        "a signature of another text", "TAMPERED", LINES, note_of(BODY, signed(f"{BODY}x"))
    )
    for count in (16, 17, 100):
        others = [signed(BODY, OTHER, f"w{place}") for place in range(count - 1)]
        yield exported(f"{count} signatures", "VALID", LINES, note_of(BODY, *others, good))


def witnesses() -> Iterator[Case]:
    """Return cosignatures: enough, too few, and altered."""
    good, three = signed(BODY), {"witnesses": WITNESS_VKEYS}
    two = note_of(BODY, good, cosigned(BODY, 0), cosigned(BODY, 2))
    yield exported("two of three", "VALID", LINES, two, quorum=2, **three)
    yield exported("two, all three wanted", "UNWITNESSED", LINES, two, **three)
    yield exported("none", "UNWITNESSED", LINES, NOTE, quorum=1, **three)
    twice = note_of(BODY, good, cosigned(BODY, 0), cosigned(BODY, 0, time=1_800_000_000))
    yield exported("one that signed twice", "UNWITNESSED", LINES, twice, quorum=2, **three)
    late = note_of(BODY, good, cosigned(BODY, 0, said=1_790_000_001))
    yield exported("another time", "TAMPERED", LINES, late, quorum=1, **three)
    huge = note_of(BODY, good, cosigned(BODY, 0, time=2**63))
    yield exported("a time after all times", "TAMPERED", LINES, huge, quorum=1, **three)
    log_as_witness = vkey_of("witness.example/log", 4, LOG)
    yield exported("the log as its own witness", "MALFORMED", LINES, witnesses=[log_as_witness])
    believed = {"keys": (), "sequence": 0, "witnesses": [log_as_witness]}
    yield exported("the same, believing the genesis", "MALFORMED", LINES, **believed)
    doubled = [WITNESS_VKEYS[0], vkey_of("witness.example/again", 4, WITNESSES[0])]
    yield exported("a witness listed twice", "MALFORMED", LINES, two, witnesses=doubled)
    yield exported("more wanted than named", "MALFORMED", LINES, two, quorum=4, **three)


def malformed() -> Iterator[Case]:
    """Return what is nearly a checkpoint."""
    root = BODY.split("\n")[2]
    bodies = {
        "a leading zero": BODY.replace("\n6\n", "\n06\n"),
        "a sign": BODY.replace("\n6\n", "\n+6\n"),
        "2^53": BODY.replace("\n6\n", "\n9007199254740992\n"),
        "CR": BODY.replace("\n", "\r\n"),
        "an extension line": f"{BODY}more\n",
        "no root": f"{ORIGIN}\n6\n",
        "31 bytes": BODY.replace(root, "A" * 40 + "AA=="),
        "33 bytes": BODY.replace(root, "A" * 44),
        "base64 that is not canonical": BODY.replace(root, f"{'A' * 42}B="),
        "base64 for URLs": BODY.replace(root, f"{'_' * 42}8="),
        "a tab": BODY.replace("ledger", "led\tger"),
        "a space in the size": BODY.replace("\n6\n", "\n 6\n"),
    }
    for name, body in bodies.items():
        yield exported(name, "MALFORMED", LINES, note_of(body))
    notes = {
        "nothing": "",
        "no signature": f"{BODY}\n",
        "no empty line": BODY + signed(BODY),
        "no end": NOTE[:-1],
        "a second end": f"{NOTE}\n",
        "trailing bytes": f"{NOTE}x",
        "another dash": NOTE.replace("—", "-"),
        "a signature without one": note_of(BODY, f"— {ORIGIN} AAAAAA==\n"),
        "101 signatures": note_of(BODY, *[signed(BODY)] * 101),
        "a million bytes and one": note_of(BODY, signed(BODY), f"— w {'A' * 1_000_000}\n"),
    }
    for name, note in notes.items():
        yield exported(name, "MALFORMED", LINES, note)


def receipts() -> Iterator[Case]:
    """Return the receipt of one entry, and paths that are not its own."""
    for size, place in ((1, 0), (2, 1), (6, 0), (6, 3), (6, 5), (257, 256), (256, 255), (255, 7)):
        yield received(f"{place} of {size}", "VALID", receipt_of(book(size), place))
    path = path_defined(3, LINES)
    yield received("another line", "TAMPERED", receipt_of(LINES, 3, line=LINES[2]), sequence=3)
    edited_line = edited_book(3, amount=1)[3]
    yield received("an edited line", "TAMPERED", receipt_of(LINES, 3, line=edited_line), sequence=3)
    yield received("another index", "TAMPERED", receipt_of(LINES, 3, index=2), sequence=2)
    yield received("an index behind", "TAMPERED", receipt_of(LINES, 3, index=6), sequence=6)
    renamed = [*LINES[:3], line_of(json.loads(LINES[3]) | {"sequence": 4}), *LINES[4:]]
    yield received("another sequence", "TAMPERED", receipt_of(renamed, 3), sequence=3)
    paths = {
        "short": path[:-1],
        "without an end": path[1:],
        "long": [*path, path[0]],
        "swapped": path[::-1],
        "altered": [path[0], defined([]), *path[2:]],
        "none": [],
    }
    for name, steps in paths.items():
        yield received(f"a path {name}", "TAMPERED", receipt_of(LINES, 3, path=steps), sequence=3)


def foreign_receipts() -> Iterator[Case]:
    """Return receipts under a checkpoint that others signed, or of something else."""
    path = path_defined(3, LINES)
    smaller = note_of(body_of(LINES[:5]))
    yield received("a checkpoint of less", "TAMPERED", receipt_of(LINES, 3, smaller), sequence=3)
    other = book(6, organisation_id=ELSEWHERE)
    yield received("another organisation", "TAMPERED", receipt_of(other, 2), sequence=2)
    foreign = note_of(body_of(LINES, origin=f"ledger.example/log/{ELSEWHERE}"))
    yield received("another log", "UNKNOWN_KEY", receipt_of(LINES, 3, foreign))
    forged = note_of(BODY, signed(BODY, OTHER))
    yield received("an unknown key", "UNKNOWN_KEY", receipt_of(LINES, 3, forged))
    yield received(
        "a wrong signature", "TAMPERED", receipt_of(LINES, 3, note_of(BODY, signed("x")))
    )
    yield received("no witness", "UNWITNESSED", receipt_of(LINES, 3), witnesses=WITNESS_VKEYS)
    cosigned_note = note_of(BODY, signed(BODY), *[cosigned(BODY, place) for place in range(3)])
    receipt = receipt_of(LINES, 3, cosigned_note)
    yield received("three witnesses", "VALID", receipt, witnesses=WITNESS_VKEYS)
    node = leaf_hash(LINES[2]) + leaf_hash(LINES[3])
    interior = receipt_of(LINES, 1, line=b"\x01" + node, index=1, path=path[1:])
    yield received("an interior node as a leaf", "MALFORMED", interior, sequence=1)


def malformed_receipts() -> Iterator[Case]:
    """Return what is nearly a receipt, or has a line that is nearly one."""
    good, line = receipt_of(LINES, 3), LINES[3].decode()
    texts = {
        "nothing": "",
        "another version": good.replace("@v1", "@v2"),
        "no line": "\n".join(good.split("\n")[:1] + good.split("\n")[2:]),
        "no index": good.replace("index 3\n", ""),
        "a leading zero": good.replace("index 3", "index 03"),
        "a negative index": good.replace("index 3", "index -3"),
        "CRLF": good.replace("\n", "\r\n"),
        "BOM": f"\ufeff{good}",
        "no empty line": good.replace("\n\n", "\n", 1),
        "31 bytes in the path": receipt_of(LINES, 3, path=[b"x" * 31]),
        "64 steps": receipt_of(LINES, 3, path=[b"x" * 32] * 64),
        "trailing bytes": f"{good}x",
        "no end": good[:-1],
    }
    for name, text in texts.items():
        yield received(name, "MALFORMED", text)
    lines = {
        "white space": line.replace('":', '": '),
        "duplicate keys": line.replace('"version":1', '"version":1,"version":1'),
        "another order": "{" + ",".join(reversed(line[1:-1].split(","))) + "}",
        "escapes": line.replace("stripe", "\\u0073tripe"),
        "a float": line.replace('"amount":103', '"amount":103.0'),
        "an exponent": line.replace('"amount":103', '"amount":1e2'),
        "minus zero": line.replace('"amount":103', '"amount":-0'),
        "2^53 + 1": line.replace('"amount":103', '"amount":9007199254740993'),
        "NaN": line.replace('"amount":103', '"amount":NaN'),
        "NFD": line.replace("stripe", "stripe\u0301"),
        "__proto__": line.replace('"version"', '"__proto__":1,"version"'),
        "a line end": f"{line}\n",
    }
    for name, text in lines.items():
        forged = [*LINES[:3], text.encode(), *LINES[4:]]
        yield received(f"a line with {name}", "MALFORMED", receipt_of(forged, 3), sequence=3)


def comparisons() -> Iterator[Case]:
    """Return two checkpoints of one book, or of two."""

    def case(name: str, verdict: str, old: str, new: str, lines=None, **fields) -> Case:
        export = export_of(lines) if lines else b""
        encoded = old.encode()
        return Case(f"two: {name}", verdict, "consistency", encoded, new, export=export, **fields)

    small, fork = note_of(body_of(LINES[:4])), note_of(body_of(OTHER_BOOK))
    yield case("the same", "VALID", NOTE, NOTE)
    yield case("one book", "VALID", small, NOTE, LINES)
    yield case("one book, the other way round", "VALID", NOTE, small, LINES)
    yield case("a book that has grown since", "VALID", small, NOTE, book(9))
    yield case("a fork of equal size", "FORK", NOTE, fork)
    yield case("a fork", "FORK", small, fork, OTHER_BOOK)
    yield case("a rewritten past", "FORK", note_of(body_of(OTHER_BOOK[:4])), NOTE, LINES)
    yield case("an export of neither", "TAMPERED", small, NOTE, OTHER_BOOK)
    yield case("an export that ends early", "INCOMPLETE", small, NOTE, LINES[:5])
    unknown = note_of(BODY, signed(BODY, OTHER))
    yield case("a stranger's checkpoint", "UNKNOWN_KEY", small, unknown, LINES)
    yield case("something else", "MALFORMED", small, "x", LINES)
    yield case("unwitnessed", "UNWITNESSED", NOTE, NOTE, witnesses=WITNESS_VKEYS)


def edited_book(place: int, **fields: object) -> list[bytes]:
    """Edit one line after the chain was made."""
    return [
        line_of(json.loads(line) | fields) if number == place else line
        for number, line in enumerate(LINES)
    ]


def unlinked(lines: list[bytes]) -> list[bytes]:
    """Return the entries without what they stand on."""
    entries = [json.loads(line) for line in lines]
    for entry in entries[1:]:
        del entry["prev_entry_hash"]
    return [line_of(entry) for entry in entries]


def renumbered(places: list[int]) -> list[bytes]:
    """Write a book anew from entries of another, its chain right again."""
    entries = [json.loads(line) for line in unlinked(book(8))]
    return chained([entries[place] | {"sequence": new} for new, place in enumerate(places)])


NOT_TEXT = [
    Case("receipt: no text", "MALFORMED", "receipt", b"\xff"),
    Case("two: no text", "MALFORMED", "consistency", b"\xff", NOTE),
]
CASES = [
    *exports(), *rewritings(), *signatures(), *witnesses(), *malformed(),
    *receipts(), *foreign_receipts(), *malformed_receipts(), *comparisons(), *NOT_TEXT,
]  # fmt: skip
