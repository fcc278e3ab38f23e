"""Keys that take the place of others, and every way to fake that; see `signed_corpus`."""

from collections.abc import Iterator, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.verifier.books import chained, entry_at, export_of, genesis
from tests.verifier.signed_corpus import Case, exported, received
from tests.verifier.signing import (
    LOG,
    ORIGIN,
    OTHER,
    VKEY,
    WITNESSES,
    base64_of,
    body_of,
    key_id_of,
    note_of,
    receipt_of,
    rotating,
    signed,
    vkey_of,
)
from tests.verifier.signing import line_of as signature_of

SECOND, THIRD = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (5, 6))
SECOND_VKEY, THIRD_VKEY = (vkey_of(ORIGIN, 1, key) for key in (SECOND, THIRD))
OLD, NEW, NONE, BOTH = (VKEY,), (SECOND_VKEY,), (), (VKEY, SECOND_VKEY)
GIVEN = {"old": OLD, "new": NEW, "none": NONE, "both": BOTH}
PLACE = 3
GOOD = rotating(LOG, SECOND, LOG)


def book(size: int, rotations: dict[int, dict[str, object]], **first: object) -> list[bytes]:
    """Return a book with entries that change keys."""
    named = genesis(metadata={"origin": ORIGIN, "profile": 1, "vkey": VKEY})
    rest = [entry_at(place, **rotations.get(place, {})) for place in range(1, size)]
    return chained([named | first, *rest])


LINES = book(6, {PLACE: GOOD})
UNSIGNED = book(6, {PLACE: rotating(LOG, SECOND)})
TWICE = book(8, {3: GOOD, 5: rotating(SECOND, THIRD, SECOND)})


def signed_by(lines: list[bytes], *keys: Ed25519PrivateKey) -> str:
    body = body_of(lines)
    return note_of(body, *(signed(body, key) for key in keys))


def forged(lines: list[bytes], private: Ed25519PrivateKey) -> str:
    """Return a signature line with the id of a key that did not sign."""
    return signature_of(ORIGIN, key_id_of(ORIGIN, 1, private), OTHER.sign(body_of(lines).encode()))


def each(name: str, verdicts: dict[str, str], lines: list[bytes], note: str) -> Iterator[Case]:
    """Return a case for each of the keys that may be given."""
    for given, verdict in verdicts.items():
        yield exported(f"{name}, key given: {given}", verdict, lines, note, keys=GIVEN[given])


def every(verdict: str) -> dict[str, str]:
    return dict.fromkeys(GIVEN, verdict)


def successions() -> Iterator[Case]:
    """Return books whose key changed, signed by the new one, the old one, or both."""
    unknown, valid, tampered = every("UNKNOWN_KEY"), every("VALID"), every("TAMPERED")
    yield from each("the new key signs", valid, LINES, signed_by(LINES, SECOND))
    yield from each("both keys sign", valid, LINES, signed_by(LINES, LOG, SECOND))
    yield from each("the retired key alone", unknown, LINES, signed_by(LINES, LOG))
    yield from each("a stranger", unknown, LINES, signed_by(LINES, OTHER))
    yield from each("a stranger beside", valid, LINES, signed_by(LINES, OTHER, SECOND))
    before = every("VALID") | {"new": "UNKNOWN_KEY"}
    for size in (2, PLACE):
        yield from each(f"{size} before", before, LINES, signed_by(LINES[:size], LOG))
    too_early = every("UNKNOWN_KEY") | {"new": "VALID", "both": "VALID"}
    yield from each("the new key too early", too_early, LINES, signed_by(LINES[:PLACE], SECOND))
    yield from each("right after", valid, LINES, signed_by(LINES[: PLACE + 1], SECOND))
    yield from each("too late", unknown, LINES, signed_by(LINES[: PLACE + 1], LOG))
    body = body_of(LINES)
    old_is_wrong = note_of(body, forged(LINES, LOG), signed(body, SECOND))
    yield from each("a forged old one", tampered | {"new": "VALID"}, LINES, old_is_wrong)
    new_is_wrong = note_of(body, signed(body), forged(LINES, SECOND))
    yield from each("a forged new one", tampered, LINES, new_is_wrong)


def unsigned() -> Iterator[Case]:
    """Return books whose first key was lost, and books whose key changed twice."""
    by_new = every("VALID") | {"old": "UNKNOWN_KEY"}
    yield from each("unsigned, new key", by_new, UNSIGNED, signed_by(UNSIGNED, SECOND))
    by_old = {"old": "VALID", "new": "UNKNOWN_KEY", "none": "UNKNOWN_KEY", "both": "VALID"}
    yield from each("unsigned, old key", by_old, UNSIGNED, signed_by(UNSIGNED, LOG))
    yield from each("twice", every("VALID"), TWICE, signed_by(TWICE, THIRD))
    yield from each("twice, second", every("UNKNOWN_KEY"), TWICE, signed_by(TWICE, SECOND))
    yield from each("twice, first", every("UNKNOWN_KEY"), TWICE, signed_by(TWICE, LOG))
    yield exported(
        "twice, the third given", "VALID", TWICE, signed_by(TWICE, THIRD), keys=[THIRD_VKEY]
    )
    mixed = book(8, {3: rotating(LOG, SECOND), 5: rotating(SECOND, THIRD, SECOND)})
    lost = every("VALID") | {"old": "UNKNOWN_KEY"}
    yield from each("unsigned, then signed", lost, mixed, signed_by(mixed, THIRD))
    strangers = [vkey_of("elsewhere", 1, OTHER), *OLD]
    yield exported("one of two logs", "VALID", LINES, signed_by(LINES, SECOND), keys=strangers)
    yield exported("a key given twice", "MALFORMED", LINES, keys=[*OLD, *OLD])


def witnessed() -> Iterator[Case]:
    """Return keys of logs that are witnesses'."""
    witness = [vkey_of("witness.example/0", 4, SECOND)]
    fields = {"witnesses": witness, "sequence": PLACE}
    for given in ("old", "none"):
        note, keys = signed_by(LINES, SECOND), GIVEN[given]
        name = f"a witness becomes the log, key given: {given}"
        yield exported(name, "MALFORMED", LINES, note, keys=keys, **fields)
    foreign = book(6, {PLACE: rotating(LOG, WITNESSES[0])})
    yield exported(
        "one whose word is not taken", "VALID", foreign, signed_by(foreign, LOG), keys=OLD
    )


def metadata(**fields: object) -> dict[str, object]:
    return GOOD | {"metadata": GOOD["metadata"] | fields}


def broken() -> Iterator[Case]:
    """Return changes of keys that no book may have."""
    signature = LOG.sign(f"almoner-key-rotation/v1\n{VKEY}\n{SECOND_VKEY}\n".encode())
    faults = {
        "signed by a stranger": rotating(LOG, SECOND, OTHER),
        "signed by the new key": rotating(LOG, SECOND, SECOND),
        "another text signed": rotating(LOG, SECOND, LOG, said=f"{VKEY}\n{SECOND_VKEY}\n"),
        "63 bytes": metadata(signature=base64_of(signature[:63])),
        "65 bytes": metadata(signature=base64_of(signature + b"x")),
        "no base64": metadata(signature="no base64"),
        "an empty signature": metadata(signature=""),
        "a signature that is a number": metadata(signature=1),
        "retires another key": rotating(OTHER, SECOND, OTHER),
        "retires the new key": rotating(SECOND, THIRD, SECOND),
        "the same key": rotating(LOG, LOG, LOG),
        "another name": rotating(LOG, SECOND, LOG, name="ledger.example/log/other"),
        "more metadata": metadata(reason="lost"),
        "no retired key": GOOD | {"metadata": {"vkey": SECOND_VKEY}},
        "no new key": GOOD | {"metadata": {"retires": VKEY}},
        "no metadata": GOOD | {"metadata": {}},
        "a key that is none": metadata(vkey="x"),
        "a retired key that is none": metadata(retires="x"),
        "a key that is a number": metadata(vkey=1),
        "a witness's key": metadata(vkey=vkey_of(ORIGIN, 4, SECOND)),
        "another nonce": GOOD | {"nonce": "key:00000000"},
        "an amount": GOOD | {"amount": 1, "currency": "EUR", "debit": "held", "credit": "stripe"},
        "a currency": GOOD | {"currency": "EUR", "debit": "held", "credit": "stripe"},
        "other accounts": GOOD | {"debit": "genesis:end", "credit": "genesis"},
    }
    for name, fields in faults.items():
        lines = book(6, {PLACE: fields})
        yield exported(name, "TAMPERED", lines, signed_by(lines, LOG), sequence=PLACE)
    back = book(8, {3: GOOD, 5: rotating(SECOND, LOG, SECOND)})
    yield exported("the first key again", "TAMPERED", back, signed_by(back, LOG), sequence=5)
    again = book(8, {3: GOOD, 5: GOOD | {"nonce": "another"}})
    yield exported("the same twice", "TAMPERED", again, signed_by(again, SECOND), sequence=5)
    for name, fields in {"none": {"profile": 1}, "no key": {"vkey": "x"}}.items():
        keyless = book(6, {PLACE: GOOD}, metadata=fields)
        note = signed_by(keyless, SECOND)
        yield exported(f"a genesis with {name}", "TAMPERED", keyless, note, sequence=PLACE)


def single_statements() -> Iterator[Case]:
    """Return receipts and pairs of checkpoints: without the book, only given keys are known."""
    notes = {
        "new": (signed_by(LINES, SECOND), {"old": "UNKNOWN_KEY", "new": "VALID", "both": "VALID"}),
        "old": (signed_by(LINES, LOG), {"old": "VALID", "new": "UNKNOWN_KEY", "both": "VALID"}),
        "both": (signed_by(LINES, LOG, SECOND), every("VALID")),
    }
    body = body_of(LINES)
    wrong = note_of(body, forged(LINES, LOG), signed(body, SECOND))
    notes["one forged"] = (wrong, {"old": "TAMPERED", "new": "VALID", "both": "TAMPERED"})
    for signer, (note, verdicts) in notes.items():
        for given in ("old", "new", "both"):
            name, keys = f"signed by {signer}, key given: {given}", GIVEN[given]
            receipt = receipt_of(LINES, 4, note)
            yield received(name, verdicts[given], receipt, keys=keys)
            yield compared(name, verdicts[given], note, note, keys=keys)
    before, after = signed_by(LINES[:PLACE], LOG), signed_by(LINES, SECOND)
    for given, verdict in {"old": "UNKNOWN_KEY", "new": "UNKNOWN_KEY", "both": "VALID"}.items():
        keys = GIVEN[given]
        name = f"across a rotation, key given: {given}"
        yield compared(name, verdict, before, after, export=export_of(LINES), keys=keys)
    yield received("no key", "UNKNOWN_KEY", receipt_of(LINES, 4, signed_by(LINES, OTHER)))


def compared(name: str, verdict: str, old: str, new: str, **fields: object) -> Case:
    return Case(f"two: {name}", verdict, "consistency", old.encode(), new, **fields)


def private_book() -> Sequence[Case]:
    """Return a book that is not public: it changes keys alike."""
    private = {place: {"book": "credits"} for place in range(1, 6)}
    private[PLACE] |= rotating(LOG, SECOND, OTHER)
    lines = book(6, private, book="credits")
    return [exported("a private book", "TAMPERED", lines, sequence=PLACE)]


CASES = [
    *successions(), *unsigned(), *witnessed(), *broken(), *single_statements(), *private_book(),
]  # fmt: skip
