"""A request and an answer of HTTP, without the wire."""

import json
from dataclasses import dataclass, field
from email.message import Message
from typing import Any


@dataclass(frozen=True)
class Request:
    """What a client asked. `headers.get` takes a name in any case."""

    verb: str
    path: str
    query: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What the client gets."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def as_json(status: int, content: Any, **headers: str) -> Answer:
    """Return an answer as Stripe formats JSON; `_` in a header's name stands for `-`."""
    return as_json_text(status, json.dumps(content, ensure_ascii=False, indent=2), **headers)


def as_json_text(status: int, text: str, **headers: str) -> Answer:
    return _answer(status, text, "application/json", headers)


def as_page(status: int, html: str, **headers: str) -> Answer:
    return _answer(status, html, "text/html; charset=utf-8", headers)


def as_style(text: str) -> Answer:
    return _answer(200, text, "text/css; charset=utf-8", {})


def redirect(url: str) -> Answer:
    """Return a 303: go there with GET."""
    return _answer(303, "", "text/plain", {"Location": url})


def _answer(status: int, text: str, kind: str, headers: dict[str, str]) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, text.encode(), {"Content-Type": kind, **named})
