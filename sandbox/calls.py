"""The calls that the sandbox plays: a register that the subjects' modules fill."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.blank import Resource
from sandbox.scope import Scope

Play = Callable[["Call"], Resource]


@dataclass(frozen=True)
class Call:
    """One checked call of the API: whose, to which URL, with which typed parameters."""

    scope: Scope
    url: str
    values: dict[str, str]
    parameters: dict[str, Any]

    def get(self, name: str, otherwise: Any = None) -> Any:
        """Return a parameter that may have been left out."""
        return self.parameters.get(name, otherwise)

    def metadata(self, resource: Resource) -> dict[str, str]:
        """Return the resource's metadata as the call changes it: an empty text takes away."""
        sent = self.get("metadata", {})
        merged = {**resource["metadata"], **sent} if sent != "" else {}
        return {name: text for name, text in merged.items() if text}


@dataclass(frozen=True)
class Simulated:
    """What plays a call, and the parameters it understands; for others it answers 501."""

    play: Play
    takes: frozenset[str]


_SIMULATED: dict[tuple[str, str], Simulated] = {}


def answers(verb: str, path: str, takes: str = "") -> Callable[[Play], Play]:
    """Mark the function that plays a call; `takes` lists its parameters, beside `expand`."""

    def register(play: Play) -> Play:
        _SIMULATED[verb, path] = Simulated(play, frozenset({"expand", *takes.split()}))
        return play

    return register


def simulated(verb: str, path: str) -> Simulated | None:
    return _SIMULATED.get((verb, path))
