"""Policy files, and what was good before: whose word is taken, and when; see `signed_corpus`."""

import json
from collections.abc import Iterator

from tests.verifier.books import chained, genesis
from tests.verifier.rotation_corpus import LINES as ROTATED
from tests.verifier.rotation_corpus import PLACE, SECOND, compared, signed_by
from tests.verifier.signed_corpus import (
    BODY,
    ELSEWHERE,
    LINES,
    NOTE,
    OTHER_BOOK,
    Case,
    book,
    exported,
    received,
    unlinked,
)
from tests.verifier.signing import (
    LOG,
    ORIGIN,
    OTHER,
    VKEY,
    WITNESS_VKEYS,
    body_of,
    cosigned,
    note_of,
    receipt_of,
    signed,
    vkey_of,
)

LOG_LINE = f"log {VKEY} https://ledger.example/log\n"
WITNESS_LINES = "".join(f"witness w{place} {vkey}\n" for place, vkey in enumerate(WITNESS_VKEYS))
STRANGER = f"log {vkey_of('elsewhere', 1, OTHER)}\n"
OTHER_NOTE = note_of(body_of(OTHER_BOOK))
QUORUMS = {
    "none": "quorum none\n",
    "one": "quorum w1\n",
    "all": "group g all w0 w1 w2\nquorum g\n",
    "any": "group g any w0 w1 w2\nquorum g\n",
    "two": "group g 2 w0 w1 w2\nquorum g\n",
    "nested": "group x any w0 w1\ngroup y all x w2\nquorum y\n",
    "a group of one": "group g all w0\ngroup h 1 g\nquorum h\n",
    "groups of groups": "group a any w0\ngroup b all w1 w2\ngroup c 2 a b\nquorum c\n",
    "a group that nobody asks for": "group g all w0 w1 w2\nquorum none\n",
}
# The witnesses that signed, and the quorums of the above that they make.
MADE = {
    (): ["none", "a group that nobody asks for"],
    (0,): ["none", "any", "a group of one", "a group that nobody asks for"],
    (1,): ["none", "one", "any", "a group that nobody asks for"],
    (2,): ["none", "any", "a group that nobody asks for"],
    (0, 2): ["none", "any", "two", "nested", "a group of one", "a group that nobody asks for"],
    (1, 2): ["none", "one", "any", "two", "nested", "a group that nobody asks for"],
    (0, 1, 2): list(QUORUMS),
}


def cosigned_by(*places: int) -> str:
    return note_of(BODY, signed(BODY), *(cosigned(BODY, place) for place in places))


def quorums() -> Iterator[Case]:
    """Return each quorum, and whoever signed."""
    for places, made in MADE.items():
        for name, quorum in QUORUMS.items():
            policy = LOG_LINE + WITNESS_LINES + quorum
            verdict = "VALID" if name in made else "UNWITNESSED"
            title = f"quorum {name}, signed by {places}"
            yield exported(title, verdict, LINES, cosigned_by(*places), keys=(), policy=policy)


def policies() -> Iterator[Case]:
    """Return what a policy says of logs, and how it may be written."""
    texts = {
        "written loosely": f"# Ours\n\n \t{LOG_LINE.strip()}\t \n#\n  # more\nquorum \t none",
        "without a log": "quorum none\n",
        "with several logs": f"{STRANGER}{LOG_LINE}quorum none\n",
        "with names in other scripts": f"witness ĸ😀 {WITNESS_VKEYS[0]}\nquorum none\n",
    }
    for name, policy in texts.items():
        yield exported(f"a policy {name}", "VALID", LINES, keys=(), policy=policy)
    policy = LOG_LINE + WITNESS_LINES + QUORUMS["two"]
    stranger = STRANGER + "quorum none\n"
    yield exported("a policy for another log", "UNKNOWN_KEY", LINES, keys=(), policy=stranger)
    two = cosigned_by(0, 1)
    yield received("a policy", "VALID", receipt_of(LINES, 3, two), keys=(), policy=policy)
    yield received("unwitnessed", "UNWITNESSED", receipt_of(LINES, 3), keys=(), policy=policy)
    yield compared("a policy", "VALID", two, two, keys=(), policy=policy)
    yield compared("too few", "UNWITNESSED", two, NOTE, keys=(), policy=policy)
    late = note_of(BODY, signed(BODY), cosigned(BODY, 0, said=1), cosigned(BODY, 1))
    yield exported("a policy, another time", "TAMPERED", LINES, late, keys=(), policy=policy)
    again = cosigned(BODY, 0, time=2**63 - 1), cosigned(BODY, 0, time=5)
    last = note_of(BODY, signed(BODY), *again, cosigned(BODY, 1))
    yield exported("the last time there is", "VALID", LINES, last, keys=(), policy=policy)
    rotated = signed_by(ROTATED, SECOND)
    logs = f"{LOG_LINE}quorum none\n"
    yield exported("a policy with the old key", "VALID", ROTATED, rotated, keys=(), policy=logs)


def before(name: str, verdict: str, lines: list[bytes], size: int, remembered: str) -> Case:
    """Return the case of a book of which something was good before, and so much is signed now."""
    note = note_of(body_of(lines[:size]))
    return exported(f"before: {name}", verdict, lines, note, remembered=remembered)


SMALL = note_of(body_of(LINES[:4]))
ANOTHER_END = chained(
    [
        json.loads(line) | ({"amount": 1} if place == 4 else {})
        for place, line in enumerate(unlinked(LINES))
    ]
)


def memories() -> Iterator[Case]:
    """Return books that go on from what was good before, or do not."""
    yield before("the same", "VALID", LINES, 6, NOTE)
    yield before("less", "VALID", LINES, 6, SMALL)
    yield before("less, and entries since", "VALID", book(9), 6, SMALL)
    yield before("nothing at all", "VALID", LINES, 6, note_of(body_of([])))
    yield before("more than is signed now", "STALE", book(9), 4, NOTE)
    yield before("as much as is there", "STALE", LINES, 4, NOTE)
    yield before("more than is there", "STALE", LINES[:4], 4, NOTE)
    yield before("a fork of equal size", "FORK", OTHER_BOOK, 6, NOTE)
    yield before("a rewritten past", "FORK", book(9, amount=1), 9, NOTE)
    yield before("a rewritten past, less of it", "FORK", OTHER_BOOK, 6, SMALL)
    yield before("another end that nobody signed", "TAMPERED", ANOTHER_END, 4, NOTE)
    yield before("less of a rewritten past", "TAMPERED", OTHER_BOOK, 4, NOTE)
    yield before("something that is no note", "VALID", LINES, 6, f"{ORIGIN}\nx")
    yield before("another log's", "VALID", LINES, 6, OTHER_NOTE.replace("aa\n6", "bb\n6"))


def memories_of_others() -> Iterator[Case]:
    """Return notes that contradict what was good before, whatever the book says."""
    export = "before: a fork beside the first book"
    yield exported(export, "FORK", LINES, OTHER_NOTE, remembered=NOTE)
    forged = note_of(BODY, signed(BODY, OTHER))
    yield exported("before: a stranger's note", "UNKNOWN_KEY", LINES, forged, remembered=NOTE)
    vkey = vkey_of(ORIGIN, 1, OTHER)
    replaced = chained([genesis(metadata={"origin": ORIGIN, "profile": 1, "vkey": vkey})])
    note = note_of(body_of(replaced), signed(body_of(replaced), OTHER))
    for remembered, verdict in ((NOTE, "STALE"), (note_of(body_of(LINES[:1])), "FORK")):
        name = f"before: the whole chain replaced, {verdict}"
        yield exported(name, verdict, replaced, note, keys=(), remembered=remembered)
    across, first = signed_by(ROTATED, SECOND), signed_by(ROTATED[:PLACE], LOG)
    yield exported("before: a rotation", "VALID", ROTATED, across, remembered=first)


def receipts_before() -> Iterator[Case]:
    """Return receipts: they are old by nature, but may not contradict what was good before."""
    for name, verdict, before in (
        ("the same", "VALID", NOTE),
        ("more", "VALID", note_of(body_of(book(9)))),
        ("less", "VALID", note_of(body_of(LINES[:4]))),
        ("a fork", "FORK", OTHER_NOTE),
    ):
        yield received(f"before: {name}", verdict, receipt_of(LINES, 3), remembered=before)


def organisations() -> Iterator[Case]:
    """Return what was signed of one organisation, and the book of another."""
    other = chained([genesis(organisation_id=ELSEWHERE, metadata={"vkey": VKEY})])
    for name, keys in {"given": (VKEY,), "believed": ()}.items():
        title = f"the log of another organisation, key {name}"
        yield exported(title, "TAMPERED", other, note_of(body_of(other)), keys=keys, sequence=0)


CASES = [
    *quorums(), *policies(), *memories(), *memories_of_others(), *receipts_before(),
    *organisations(),
]  # fmt: skip
