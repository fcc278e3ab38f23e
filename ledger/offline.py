"""The page /verify as one file that needs no network: modules joined, styles and icons inside."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

FILENAME = "almoner-verify.html"
STYLES = ("css/tokens.css", "css/almoner.css")
# How a worker is started differs where there is no second file.
REPLACED = {"start.js": "start_offline.js"}

FONT_FACE = re.compile(r"@font-face \{[^}]*\}\n*")
IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "(\./[^"]+)";$', re.MULTILINE)
EXPORTED = re.compile(r"^export ((?:async )?function|class|const) (\w+)", re.MULTILINE)
EXPORTS = re.compile(r"^export \{([^}]*)\};$", re.MULTILINE)
LEFT_OVER = re.compile(r'^(?:export\b|import\b.*").*$|import\.meta|</script|<!--', re.MULTILINE)


class NotJoinable(Exception):
    """A module is written in a way that the joiner does not know; the message says where."""


@cache
def page() -> bytes:
    """Return the file: the same bytes wherever the source is the same."""
    folder = settings.BASE_DIR / "static"
    parts = {
        "styles": FONT_FACE.sub("", "".join((folder / name).read_text() for name in STYLES)),
        "script": joined(folder / "verify", "file.js"),
        "worker": joined(folder / "verify", "worker.js"),
    }
    hashes = {f"{name}_hash": hash_of(text) for name, text in parts.items()}
    # The text of our own files, which stands between tags as it is.
    safe = {name: mark_safe(text) for name, text in parts.items()}  # noqa: S308
    return render_to_string("ledger/verify_offline.html", {**safe, **hashes}).encode()


def digest() -> str:
    """Return the SHA-256 of the file, as `sha256sum` prints it."""
    return sha256(page()).hexdigest()


def hash_of(text: str) -> str:
    """Return the hash by which a content security policy allows a script or a style."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def joined(folder: Path, name: str) -> str:
    """
    Join a module and all that it imports to one script: each a function, after those it needs.

    Raises `NotJoinable`.
    """
    scripts: dict[str, str] = {}
    add(folder, name, scripts)
    return "const modules = {};\n" + "".join(scripts.values())


def add(folder: Path, name: str, scripts: dict[str, str]) -> None:
    """Add a module, after what it imports, unless it is there. Raises `NotJoinable`."""
    if name in scripts:
        return
    text = (folder / REPLACED.get(name, name)).read_text()
    for _, path in IMPORT.findall(text):
        add(folder, sibling(name, path), scripts)
    names = [found for _, found in EXPORTED.findall(text)]
    names += [found.strip() for listed in EXPORTS.findall(text) for found in listed.split(",")]

    def imported(match: re.Match[str]) -> str:
        taken = match[1].replace(" as ", ": ").removeprefix("*: ")
        return f'const {taken} = modules["{sibling(name, match[2])}"];'

    body = EXPORTS.sub("", EXPORTED.sub(r"\1 \2", IMPORT.sub(imported, text)))
    if left := LEFT_OVER.search(body):
        raise NotJoinable(f"{name}: the joiner does not know {left[0]!r}; see ledger/offline.py.")
    returned = ", ".join(filter(None, names))
    scripts[name] = (
        f'\n{licence(folder / name)}modules["{name}"] = (() => {{\n"use strict";\n{body}\n'
        f"return {{ {returned} }};\n}})();\n"
    )


def sibling(name: str, path: str) -> str:
    """Return the name of a module that another imports by a path."""
    return str(Path(name).parent / path)


def licence(file: Path) -> str:
    """Return the licence beside a module of others, as a comment; ours stands in the page."""
    text = file.parent / "LICENSE"
    return f"/*\n{text.read_text()}*/\n" if text.exists() else ""
