"""
Write the corpus that every verifier must agree on: `python -m tests.verifier.corpus`.

Each case is one `.ndjson` file and one row of `cases.json` with the verdict it must get and,
where it matters, the head and the balances that are given along.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.verifier.attesting import (
    attestation,
    attested,
    in_parts,
    rows_of,
    wrong_forms,
    wrong_rows,
)
from tests.verifier.books import chained, entry_at, export_of, genesis, hash_of, line_of

FOLDER = Path(__file__).parent.parent / "data" / "lines"

MOVES = [
    {"amount": 5000, "debit": "stripe", "credit": "fund:winter-shelter"},
    {"amount": 175, "debit": "fund:winter-shelter", "credit": "stripe"},
    {"amount": 1050, "currency": "JPY", "debit": "stripe", "credit": "fund:general"},
    {"amount": 4000, "debit": "in_transit", "credit": "stripe"},
    {"amount": 4000, "debit": "bank:main", "credit": "in_transit"},
]
BALANCES = {
    "places": [
        {"account": "bank:main", "currency": "EUR", "amount": 4000},
        {"account": "in_transit", "currency": "EUR", "amount": 0},
        {"account": "stripe", "currency": "EUR", "amount": 825},
        {"account": "stripe", "currency": "JPY", "amount": 1050},
    ],
    "purposes": [
        {"account": "fund:general", "currency": "JPY", "amount": 1050},
        {"account": "fund:winter-shelter", "currency": "EUR", "amount": 4825},
    ],
}


def book() -> list[dict[str, Any]]:
    gifts = [entry_at(number, **move) for number, move in enumerate(MOVES, 1)]
    return [genesis(), *gifts]


def edited(number: int, **fields: Any) -> list[bytes]:
    """Edit one line after the chain was made; the others stay as they were."""
    lines = chained(book())
    lines[number] = line_of(json.loads(lines[number]) | fields)
    return lines


def written(number: int, **fields: Any) -> list[bytes]:
    """Write a book in which one entry was different from the start: its chain is right."""
    entries = book()
    entries[number] |= fields
    return chained(entries)


def bytes_of(old: bytes, new: bytes) -> list[bytes]:
    """Replace bytes in line 2 and put a right chain behind it, so only the bytes are at fault."""
    lines = chained(book())[:3]
    assert old in lines[2]
    lines[2] = lines[2].replace(old, new, 1)
    following = entry_at(3, prev_entry_hash=hash_of(lines[2]))
    return [*lines, line_of(following)]


def good(lines: list[bytes], **given: Any) -> dict[str, Any]:
    return case("VALID", None, lines, **given)


def tampered(sequence: int | None, lines: list[bytes], **given: Any) -> dict[str, Any]:
    return case("TAMPERED", sequence, lines, **given)


def malformed(sequence: int, lines: list[bytes] | bytes, **given: Any) -> dict[str, Any]:
    return case("MALFORMED", sequence, lines, **given)


def case(
    verdict: str, sequence: int | None, lines: list[bytes] | bytes, **given: Any
) -> dict[str, Any]:
    content = lines if isinstance(lines, bytes) else export_of(lines)
    return {"content": content, "verdict": verdict, "first_bad_sequence": sequence} | given


def head_of(lines: list[bytes]) -> dict[str, Any]:
    return {"size": len(lines), "head_hash": hash_of(lines[-1]), "checkpoint": None}


def with_correction(**fields: Any) -> list[bytes]:
    reversal = {"amount": 175, "debit": "stripe", "credit": "fund:winter-shelter"}
    correction = {"operation": "CORRECTION", "metadata": {"reverses": 2}} | reversal
    return chained([*book(), entry_at(6, **(correction | fields))])


def changed_balances(side: str, row: int, **fields: Any) -> dict[str, Any]:
    balances: dict[str, Any] = json.loads(json.dumps(BALANCES))
    balances[side][row] |= fields
    return balances


def whole_cases() -> dict[str, dict[str, Any]]:
    lines = chained(book())
    head = head_of(lines)
    return {
        "good": good(lines, head=head, balances=BALANCES),
        "good-and-grown": good(
            [*lines, line_of(entry_at(6, prev_entry_hash=hash_of(lines[-1])))],
            head=head,
            balances=BALANCES,
        ),
        "good-metadata": good(written(1, metadata=METADATA)),
        "good-correction": good(with_correction()),
        "good-longest": good(written(1, metadata={"filling": "x" * (16_384 - len(lines[1]) - 12)})),
        "one-byte-too-long": malformed(
            1, written(1, metadata={"filling": "x" * (16_385 - len(lines[1]) - 12)})
        ),
        "good-genesis-alone": good(lines[:1]),
        "good-other-book": good(
            chained(
                [
                    e | {"book": "credits", "debit": "owner:1", "credit": "issued"}
                    if e["sequence"]
                    else e | {"book": "credits"}
                    for e in book()
                ]
            )
        ),
        "empty": case("INCOMPLETE", None, []),
        "cut": case("INCOMPLETE", None, lines[:-1], head=head),
        "last-line-edited": tampered(5, edited(5, amount=4001), head=head),
        "head-of-other-chain": tampered(5, written(3, amount=1), head=head),
        "balance-differs": tampered(
            None, lines, head=head, balances=changed_balances("places", 0, amount=1)
        ),
        "balance-on-other-side": tampered(
            None, lines, head=head, balances=changed_balances("purposes", 0, account="held")
        ),
    }


METADATA = {
    "__proto__": "kept",
    "constructor": {"__proto__": 1, "10": True, "9": False},
    "quoted": 'a "quote" and a \\',
    "text": "Žluťoučký kůň 😀 \u2028",
    "largest": 2**53 - 1,
    "smallest": -(2**53) + 1,
}


def chain_cases() -> dict[str, dict[str, Any]]:
    lines = chained(book())
    swapped = [lines[0], lines[1], lines[3], lines[2], *lines[4:]]
    rival = line_of(json.loads(lines[3]) | {"amount": 7})
    renumbered = [
        *lines[:3],
        *(line_of(json.loads(e) | {"sequence": n}) for n, e in enumerate(lines[4:], 3)),
    ]
    return {
        "edited": tampered(2, edited(2, amount=176)),
        "edited-genesis": tampered(0, edited(0, metadata={"profile": 2})),
        "edited-sequence": tampered(2, edited(2, sequence=7)),
        "edited-link": tampered(1, edited(2, prev_entry_hash="sha256:" + "0" * 64)),
        "swapped": tampered(2, swapped),
        "removed": tampered(3, lines[:3] + lines[4:]),
        "removed-and-renumbered": tampered(2, renumbered),
        "genesis-removed": tampered(0, lines[1:]),
        "doubled": tampered(4, [*lines[:4], lines[3], *lines[4:]]),
        "inserted": tampered(3, [*lines[:3], rival, *lines[3:]]),
        "null-link-at-zero": tampered(0, chained([entry_at(0, prev_entry_hash=None)])),
        "genesis-with-link": tampered(0, chained([genesis(prev_entry_hash="sha256:" + "0" * 64)])),
        "other-organisation": tampered(2, written(2, organisation_id="org_other")),
        "other-book": tampered(2, written(2, book="credits")),
    }


def rule_cases() -> dict[str, dict[str, Any]]:
    nothing = {"amount": 0, "currency": "XXX"}
    second_genesis = genesis(sequence=2, nonce="again", entry_id="led_again")
    del second_genesis["prev_entry_hash"]
    twice = [json.loads(line) for line in with_correction()]
    again = twice[6] | {"sequence": 7, "nonce": "n7", "entry_id": "led_7"}
    again["prev_entry_hash"] = hash_of(line_of(twice[6]))
    return {
        "negative": tampered(2, written(2, amount=-1)),
        "same-account": tampered(2, written(2, credit="stripe", debit="stripe")),
        "amount-of-nothing": tampered(2, written(2, currency="XXX")),
        "nothing-moved": good(written(2, debit="genesis", credit="genesis:end", **nothing)),
        "genesis-account-with-money": tampered(2, written(2, debit="genesis")),
        "unknown-account": tampered(2, written(2, debit="bank:")),
        "account-with-line-end": malformed(2, written(2, debit="stripe\n")),
        "second-genesis": tampered(2, chained([*book()[:2], second_genesis])),
        "back-dated": tampered(2, written(2, recorded_at="2026-11-29T23:59:59Z")),
        "nonce-twice": tampered(3, written(3, nonce="stripe:acct_1:txn_1:charge")),
        "entry-id-twice": tampered(3, written(3, entry_id=f"led_{1:026}")),
        "balance-out-of-range": tampered(3, out_of_range()),
        "correction-twice": tampered(7, [*with_correction(), line_of(again)]),
        "correction-of-nothing": tampered(6, with_correction(metadata={})),
        "correction-of-true": tampered(6, with_correction(metadata={"reverses": True})),
        "correction-of-itself": tampered(6, with_correction(metadata={"reverses": 6})),
        "correction-of-genesis": tampered(
            6,
            with_correction(
                metadata={"reverses": 0},
                amount=0,
                currency="XXX",
                debit="genesis:end",
                credit="genesis",
            ),
        ),
        "correction-of-negative": tampered(6, with_correction(metadata={"reverses": -1})),
        "correction-not-swapped": tampered(
            6, with_correction(metadata={"reverses": 1}, amount=5000)
        ),
        "correction-of-other-amount": tampered(6, with_correction(amount=174)),
    }


def out_of_range() -> list[bytes]:
    entries = book()
    entries[1]["amount"] = entries[2]["amount"] = 2**53 - 1
    entries[2] |= {"debit": "bank:main", "credit": "stripe"}
    entries[3] |= {"amount": 1, "currency": "EUR", "debit": "bank:main", "credit": "stripe"}
    return chained(entries)


def bad_attestations() -> dict[str, dict[str, Any]]:
    size, rows = 6, rows_of(book())
    return {
        "size": attestation(size, rows, size=5),
        "part": attestation(size, rows, size=size, part=2, parts=2),
        "accounts": attestation(size, rows, size=size, accounts=len(rows) + 1),
        "part-of-nothing": attestation(size, [], size=size, accounts=len(rows)),
        "parts-left-over": attestation(size, rows, size=size, parts=2),
        **{f"form-{name}": form for name, form in wrong_forms(attested(book())[-1]).items()},
    }


def broken_attestations() -> dict[str, dict[str, Any]]:
    size, rows = 6, rows_of(book())
    again = {"size": size, "part": 2, "parts": 3, "accounts": len(rows)}
    return {
        "interrupted": entry_at(7, credit="fund:winter-shelter"),
        "interrupted-by-another": attestation(7, rows, size=7, accounts=len(rows)),
        "part-twice": attestation(7, rows[:2], nonce="attestation:6:1", **(again | {"part": 1})),
        "part-skipped": attestation(7, rows[2:], **(again | {"part": 3})),
        "parts-differ": attestation(7, rows[2:], **(again | {"parts": 2})),
        "accounts-differ": attestation(7, rows[2:4], **(again | {"accounts": 7})),
        "size-differs": attestation(7, rows[2:4], **(again | {"size": 7})),
        "row-again": attestation(7, rows[1:4], **again),
        "part-empty": attestation(7, [], **again),
        "part-with-all": attestation(7, rows[2:], **again),
    }


def attestation_cases() -> dict[str, dict[str, Any]]:
    zero = {"amount": 0, "debit": "held", "credit": "reserve:vault", "currency": "USD"}
    named = [*book(), entry_at(6, **zero)]
    parts, later = in_parts(book(), 2, 4), attested([*attested(book()), entry_at(7)])
    given = entry_at(1, currency="CREDIT", debit="issued", credit="owner:1")
    private = [entry | {"book": "credits"} for entry in attested([genesis(), given])]
    return {
        "attested": good(chained(attested(book()))),
        "attested-at-zero": good(chained(attested(named))),
        "attested-nothing": good(chained(attested([genesis()]))),
        "attested-twice": good(chained(later)),
        "attested-in-parts": good(chained([*parts, entry_at(9)])),
        "attested-until-now": good(chained(parts[:7])),
        **{
            f"attests-wrong-{name}": tampered(6, chained(attested(book(), change)))
            for name, change in wrong_rows().items()
        },
        **{
            f"attests-wrong-{name}": tampered(6, chained([*book(), entry]))
            for name, entry in bad_attestations().items()
        },
        **{
            f"attestation-{name}": tampered(7, chained([*parts[:7], entry]))
            for name, entry in broken_attestations().items()
        },
        "attestation-cut-short": tampered(8, chained([*parts[:8], last_part_without_a_row(parts)])),
        "attestation-private": tampered(2, chained(private)),
    }


def last_part_without_a_row(parts: list[dict[str, Any]]) -> dict[str, Any]:
    metadata = {name: value for name, value in parts[8]["metadata"].items() if name != "a1"}
    return {**parts[8], "metadata": metadata}


# In line 2: what stands there, and what an attacker, or a careless program, makes of it.
REPLACED: dict[str, tuple[bytes, bytes]] = {
    "duplicate-key": (b'{"amount":175,', b'{"amount":1,"amount":175,'),
    "key-order": (b'"amount":175,"book":"public"', b'"book":"public","amount":175'),
    "white-space": (b'"amount":175', b'"amount": 175'),
    "escape": (b'"public"', b'"\\u0070ublic"'),
    "float": (b":175,", b":175.0,"),
    "exponent": (b":175,", b":1e2,"),
    "fraction": (b":175,", b":1.5,"),
    "minus-zero": (b'"metadata":{}', b'"metadata":{"a":-0}'),
    "too-large": (b":175,", b":9007199254740993,"),
    "just-too-large": (b":175,", b":9007199254740992,"),
    "large-in-metadata": (b'"metadata":{}', b'"metadata":{"a":-9007199254740992}'),
    "huge-number": (b":175,", b":1" + b"0" * 5000 + b","),
    "not-a-number": (b":175,", b":NaN,"),
    "amount-as-text": (b":175,", b':"175",'),
    "amount-as-boolean": (b":175,", b":true,"),
    "version-2": (b'"version":1', b'"version":2'),
    "version-true": (b'"version":1', b'"version":true'),
    "missing-key": (b'"amount":175,', b""),
    "further-key": (b'"amount"', b'"__proto__":{},"amount"'),
    "other-key": (b'"amount"', b'"ambunt"'),
    "bom": (b'{"amount', b'\xef\xbb\xbf{"amount'),
    "carriage-return": (b'"version":1}', b'"version":1}\r'),
    "trailing-bytes": (b'"version":1}', b'"version":1}x'),
    "not-utf-8": (b'"public"', b'"publi\xff"'),
    "overlong-utf-8": (b'"public"', b'"publi\xc0\xaf"'),
    "encoded-surrogate": (b'"public"', b'"publi\xed\xa0\x80"'),
    "lone-surrogate": (b'"metadata":{}', b'"metadata":{"a":"\\ud800"}'),
    "control-character": (b'"metadata":{}', b'"metadata":{"a":"\\u0001"}'),
    "delete-character": (b'"metadata":{}', b'"metadata":{"a":"\x7f"}'),
    "not-nfc": (b'"metadata":{}', '"metadata":{"a":"e\u0301"}'.encode()),
    "unassigned": (b'"metadata":{}', '"metadata":{"a":"\u0378"}'.encode()),
    "assigned-later": (b'"metadata":{}', '"metadata":{"a":"\U0001fae8"}'.encode()),
    "nested-twice": (b'"metadata":{}', b'"metadata":{"a":{"b":{}}}'),
    "list-in-metadata": (b'"metadata":{}', b'"metadata":{"a":[]}'),
    "null-in-metadata": (b'"metadata":{}', b'"metadata":{"a":null}'),
    "key-in-capitals": (b'"metadata":{}', b'"metadata":{"A":1}'),
    "metadata-a-list": (b'"metadata":{}', b'"metadata":[]'),
    "deep": (b'"metadata":{}', b'"metadata":' + b"[" * 5000 + b"]" * 5000),
    "no-such-day": (b"2026-11-01T00:02:00Z", b"2026-02-29T00:02:00Z"),
    "no-such-month": (b"2026-11-01T00:02:00Z", b"2026-13-01T00:02:00Z"),
    "no-such-year": (b"2026-11-01T00:02:00Z", b"0000-11-01T00:02:00Z"),
    "no-such-hour": (b"2026-11-01T00:02:00Z", b"2026-11-01T24:00:00Z"),
    "leap-second": (b"2026-11-01T00:02:00Z", b"2026-11-01T00:02:60Z"),
    "with-offset": (b"2026-11-01T00:02:00Z", b"2026-11-01T00:02:00+00:00"),
    "link-no-hash": (b'"prev_entry_hash":"sha256:', b'"prev_entry_hash":"sha512:'),
    "too-long": (b'"metadata":{}', b'"metadata":{"a":"' + b"x" * 16_384 + b'"}'),
    "far-too-long": (b'"metadata":{}', b'"metadata":{"a":"' + b"x" * 40_000 + b'"}'),
}


def byte_cases() -> dict[str, dict[str, Any]]:
    lines = chained(book())
    null_link = [*lines[:2], line_of(entry_at(2, prev_entry_hash=None))]
    return {
        **{name: malformed(2, bytes_of(*replaced)) for name, replaced in REPLACED.items()},
        "leap-day": good(written(2, occurred_at="2024-02-29T00:00:00Z")),
        "century-without-leap-day": malformed(2, written(2, occurred_at="2100-02-29T00:00:00Z")),
        "null-link": malformed(2, null_link),
        "no-last-line-end": malformed(5, export_of(lines)[:-1]),
        "empty-line": malformed(3, [*lines[:3], b"", *lines[3:]]),
        "not-an-object": malformed(1, [lines[0], b"[]"]),
        "not-json": malformed(0, b"<!doctype html>\n"),
        "null-bytes": malformed(0, bytes(100)),
        "endless": malformed(0, b"{" * 20_000),
    }


def cases() -> dict[str, dict[str, Any]]:
    makers: list[Callable[[], dict[str, dict[str, Any]]]] = [
        whole_cases,
        chain_cases,
        rule_cases,
        attestation_cases,
        byte_cases,
    ]
    return {name: row for maker in makers for name, row in maker().items()}


def files() -> dict[str, bytes]:
    rows = cases()
    contents = {f"{name}.ndjson": row.pop("content") for name, row in rows.items()}
    listed = [{"name": name} | row for name, row in rows.items()]
    return {**contents, "cases.json": (json.dumps(listed, indent=1) + "\n").encode()}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
