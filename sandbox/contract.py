"""The routes of Stripe's API, read from the sources of the installed `stripe` package."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import stripe


@dataclass(frozen=True)
class Route:
    """One call: its verb, its path with `{placeholders}`, and the type of its parameters."""

    verb: str
    path: str
    module: str
    type_name: str

    @property
    def steps(self) -> list[str]:
        return self.path.split("/")

    def match(self, steps: list[str]) -> dict[str, str] | None:
        """Return the values of the placeholders when the path is this route's."""
        values: dict[str, str] = {}
        for ours, theirs in zip(self.steps, steps, strict=True):
            if ours.startswith("{") and theirs:
                values[ours[1:-1]] = theirs
            elif ours != theirs:
                return None
        return values


class Contract:
    """Every route of the installed package's `/v1/` services."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, int], list[Route]] = {}
        for route in sorted(set(_routes()), key=lambda route: (route.path.count("{"), route.path)):
            self._routes.setdefault((route.verb, len(route.steps)), []).append(route)

    def find(self, verb: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route for a request and its placeholders' values; fixed words win."""
        steps = path.split("/")
        for route in self._routes.get((verb, len(steps)), []):
            values = route.match(steps)
            if values is not None:
                return route, values
        return None

    def __len__(self) -> int:
        return sum(map(len, self._routes.values()))


def _routes() -> Iterator[Route]:
    root = Path(stripe.__file__).parent
    for source in root.rglob("_*_service.py"):
        if "v2" not in source.parts:
            yield from _routes_of(ast.parse(source.read_text(encoding="utf-8")))


def _routes_of(tree: ast.Module) -> Iterator[Route]:
    modules = {
        alias.name: node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            type_name = _type_of_parameters(function)
            for verb, path in _requests(function):
                yield Route(verb, path, modules.get(type_name, ""), type_name)


def _type_of_parameters(function: ast.FunctionDef) -> str:
    """Return the name that the annotation of `params` quotes, as `Optional["RefundListParams"]`."""
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation:
            for node in ast.walk(argument.annotation):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    return node.value
    return ""


def _requests(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    for node in ast.walk(function):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "_request":
            texts = [
                part.value
                for part in ast.walk(ast.Tuple(elts=node.args[:2], ctx=ast.Load()))
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            ]
            yield texts[0], texts[1]
