"""The ledger in memory, as short as it can be said: what a book holds, whatever was done to it."""

from typing import Any

Content = dict[str, Any]


class Refused(Exception):
    """The model refuses, by the name of the error that the core must raise."""


class Memory:
    """One book: its entries, whose nonces are taken, and both sums of each account."""

    def __init__(self) -> None:
        self.entries: list[Content] = []
        self.nonces: dict[str, int] = {}
        self.sums: dict[tuple[str, str], list[int]] = {}

    def append(self, drafts: list[Content]) -> list[int]:
        said = {nonce: self.entries[place] for nonce, place in self.nonces.items()}
        for draft in drafts:
            if not repeats(draft, said.setdefault(draft["nonce"], draft)):
                raise Refused("NonceConflict")
        for draft in drafts:
            if draft["nonce"] not in self.nonces:
                self.write(draft)
        return [self.nonces[draft["nonce"]] for draft in drafts]

    def write(self, draft: Content) -> None:
        for side, name in enumerate((draft["debit"], draft["credit"])):
            self.sums.setdefault((draft["currency"], name), [0, 0])[side] += draft["amount"]
        debits, credits = self.sums[draft["currency"], draft["debit"]]
        if draft["debit"].startswith("owner:") and debits > credits:
            raise Refused("IntegrityError")
        self.nonces[draft["nonce"]] = len(self.entries)
        self.entries.append(draft)

    def correct(self, place: int, reason: str) -> list[int]:
        entry, nonce = self.entries[place], f"correction:{place}"
        if not entry["amount"]:
            raise Refused("NotCorrectable")
        correction = entry | {"operation": "CORRECTION", "nonce": nonce, "occurred_at": None}
        correction |= {"debit": entry["credit"], "credit": entry["debit"]}
        correction["metadata"] = {"reverses": place, "reason": reason}
        try:
            return self.append([correction])
        except Refused as error:
            conflict = str(error) == "NonceConflict"
            raise Refused("AlreadyCorrected" if conflict else "CorrectionOverdraws") from error


def repeats(draft: Content, said: Content) -> bool:
    silent = draft["occurred_at"] is None
    return repr(draft | {"occurred_at": said["occurred_at"]} if silent else draft) == repr(said)
