"""Pages as HTML: the frame around each of them, and a page of one sentence."""

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from sandbox.messages import Answer, as_page

_PAGES = Path(__file__).parent / "pages"


def page(status: int, title: str, content: str, *, kind: str = "sheet") -> Answer:
    """Return a page around content that is HTML already: a narrow `sheet` or a wide `board`."""
    html = filled("layout.html", title=escape(title), content=content, kind=kind)
    policy = "default-src 'none'; style-src 'self'; img-src data:; frame-ancestors 'none'"
    headers: dict[str, Any] = {"Content_Security_Policy": policy, "Cache_Control": "no-store"}
    return as_page(status, html, **headers)


def sentence_page(status: int, sentence: str) -> Answer:
    return page(status, "Sandbox", f"<h1>Sandbox payment</h1><p>{escape(sentence)}</p>")


def filled(template: str, /, **parts: str) -> str:
    """Return a template with its parts filled in, which are HTML already."""
    return Template(text_of(template)).substitute(parts)


@cache
def text_of(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")
