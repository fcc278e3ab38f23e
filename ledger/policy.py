"""
Whose word counts: logs, witnesses and the quorum (C2SP tlog-policy). Pure.

Names are octets to the specification; bytes that are no UTF-8 are kept in them as they are.
https://c2sp.org/tlog-policy
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, NoReturn

from ledger import notes

NONE = "none"
# With the log's own signature a note takes no more.
WITNESSES_MAX = notes.SIGNATURES_MAX - 1
FORBIDDEN = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
BLANKS = re.compile(r"[ \t]+")
COUNT = re.compile(r"[1-9][0-9]{0,5}\Z")


class PolicyBroken(ValueError):
    """The file is no policy; the sentence names the line."""

    def __init__(self, line: int, reason: str) -> None:
        """Say where and what."""
        super().__init__(f"Line {line}: {reason}")


class Log(NamedTuple):
    """A log whose checkpoints are taken."""

    key: notes.Key
    url: str = ""

    def __str__(self) -> str:
        """Return the line of a policy."""
        return f"log {self.key} {self.url}".rstrip()


class Witness(NamedTuple):
    """A witness by the name that it has in the policy, and where it is asked."""

    name: str
    key: notes.Key
    url: str = ""

    @property
    def shown_name(self) -> str:
        """Return the name in letters that can be printed."""
        return shown(self.name)

    def __str__(self) -> str:
        """Return the line of a policy."""
        return f"witness {self.name} {self.key} {self.url}".rstrip()


class Group(NamedTuple):
    """Witnesses and groups of which so many must have signed."""

    name: str
    threshold: int
    members: Sequence[str]

    def __str__(self) -> str:
        """Return the line of a policy."""
        return f"group {self.name} {self.threshold} {' '.join(self.members)}"


class Policy(NamedTuple):
    """Logs, witnesses, groups in the order in which they build on each other, and the quorum."""

    logs: Sequence[Log] = ()
    witnesses: Sequence[Witness] = ()
    groups: Sequence[Group] = ()
    quorum: str = NONE

    def __str__(self) -> str:
        """Return the policy as a file."""
        parts = (*self.logs, *self.witnesses, *self.groups, f"quorum {self.quorum}")
        return "".join(f"{part}\n" for part in parts)

    def is_met_by(self, keys: Collection[notes.Key]) -> bool:
        """Tell whether cosignatures of these keys are enough."""
        there = {NONE, *(witness.name for witness in self.witnesses if witness.key in keys)}
        for group in self.groups:
            if len(there.intersection(group.members)) >= group.threshold:
                there.add(group.name)
        return self.quorum in there

    @property
    def needed(self) -> int:
        """Return how many cosignatures no quorum can do without."""
        least = {NONE: 0} | {witness.name: 1 for witness in self.witnesses}
        for group in self.groups:
            members = sorted(least[name] for name in group.members)
            least[group.name] = sum(members[: group.threshold])
        return least[self.quorum]

    def signers(self, keys: Collection[notes.Key]) -> list[Witness]:
        """Return the witnesses whose keys are among these."""
        return [witness for witness in self.witnesses if witness.key in keys]


def parse_policy(content: bytes, *, url_problem: Callable[[str], str] = lambda _: "") -> Policy:
    """
    Return what a file says. Raises `PolicyBroken`.

    Addresses of witnesses are any text, unless `url_problem` says what one lacks.
    """
    parser = _Parser(url_problem)
    lines = content.split(b"\n")
    for parser.line, line in enumerate(lines[:-1], 1):
        if found := FORBIDDEN.search(line):
            parser.refuse(f"the byte 0x{found[0].hex()} is none that a policy has.")
        words = BLANKS.split(line.decode(errors="surrogateescape").strip(" \t"))
        if words[0] and not words[0].startswith("#"):
            parser.read(*words)
    parser.line = len(lines)
    if lines[-1]:
        parser.refuse("it has no end: add a line end, unless the file was cut off here.")
    return parser.policy()


class _Parser:
    """Reads line after line; `line` is where it is."""

    def __init__(self, url_problem: Callable[[str], str]) -> None:
        self.url_problem = url_problem
        self.line = 0
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum: str | None = None
        # Who has a name already, and which names are some group's members.
        self.names: set[str] = set()
        self.grouped: set[str] = set()

    def refuse(self, reason: str) -> NoReturn:
        raise PolicyBroken(self.line, reason)

    def read(self, keyword: str, *words: str) -> None:
        """Take one line."""
        match keyword, words:
            case "log", [vkey, *url] if len(url) <= 1:
                self._add_log(vkey, *url)
            case "witness", [name, vkey, *url] if len(url) <= 1:
                self._add_witness(name, vkey, *url)
            case "group", [name, threshold, *members] if members:
                self._add_group(name, threshold, members)
            case "quorum", [name]:
                self._set_quorum(name)
            case _:
                self.refuse(
                    "a line is `log VKEY [URL]`, `witness NAME VKEY [URL]`, "
                    "`group NAME all|any|NUMBER MEMBER…` or `quorum NAME`."
                )

    def policy(self) -> Policy:
        """Return what was read."""
        if self.quorum is None:
            self.refuse("the file ends without a quorum; add `quorum NAME`, or `quorum none`.")
        return Policy(self.logs, self.witnesses, self.groups, self.quorum)

    def _add_log(self, vkey: str, url: str = "") -> None:
        self.logs.append(Log(self._key(vkey, notes.ED25519, "log"), url))

    def _add_witness(self, name: str, vkey: str, url: str = "") -> None:
        self._name(name)
        if problem := self.url_problem(url):
            self.refuse(f"the witness {_shown(name)} {problem}.")
        self.witnesses.append(Witness(name, self._key(vkey, notes.COSIGNATURE, "witness"), url))
        if len(self.witnesses) > WITNESSES_MAX:
            self.refuse(f"a checkpoint has room for {WITNESSES_MAX} witnesses and no more.")

    def _add_group(self, name: str, threshold: str, members: Sequence[str]) -> None:
        for member in members:
            self._check_known(member)
            if member in self.grouped:
                self.refuse(f"{_shown(member)} is a member of a group already, and counts once.")
            self.grouped.add(member)
        self._name(name)
        needed = {"all": str(len(members)), "any": "1"}.get(threshold, threshold)
        if not COUNT.match(needed) or int(needed) > len(members):
            self.refuse(f"{_shown(threshold)} is not all, any, or a number up to {len(members)}.")
        self.groups.append(Group(name, int(needed), members))

    def _set_quorum(self, name: str) -> None:
        if self.quorum is not None:
            self.refuse("the quorum was defined before, and there is one only.")
        if name != NONE:
            self._check_known(name)
        self.quorum = name

    def _check_known(self, name: str) -> None:
        if name not in self.names:
            self.refuse(f"{_shown(name)} is no witness and no group of a line before this one.")

    def _name(self, name: str) -> None:
        if name == NONE or name in self.names:
            self.refuse(f"the name {_shown(name)} is taken.")
        self.names.add(name)

    def _key(self, vkey: str, type: int, role: str) -> notes.Key:
        try:
            key = notes.parse_key(vkey)
        except ValueError:
            self.refuse(f"{_shown(vkey)} is no verifier key of Ed25519.")
        if key.type != type:
            self.refuse(f"{_shown(vkey)} is no key of a {role}.")
        if key.public in _publics(self.logs) | _publics(self.witnesses):
            self.refuse(f"the key {_shown(vkey)} stands in a line before this one.")
        return key


def _publics(holders: Iterable[Log | Witness]) -> set[bytes]:
    return {holder.key.public for holder in holders}


def shown(name: str) -> str:
    """Return a name in letters that can be printed: what is no UTF-8 is marked."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _shown(word: str) -> str:
    return f"`{shown(word)}`"
