"""The page at `/`: a person sees what the accounts have, and plays donors, banks and bad luck."""

import hmac
import re
import secrets
from html import escape
from urllib.parse import parse_qs, urlsplit

from sandbox import board_rows
from sandbox.acts import Stage
from sandbox.control import Control
from sandbox.errors import StripeError
from sandbox.messages import Answer, Request, redirect
from sandbox.paper import filled, page
from sandbox.presses import PRESSES

_HERE = {"127.0.0.1", "localhost"}


class Board:
    """
    Answers the browser of a person at this machine.

    A page of another site can neither read nor press it: it answers names of this machine
    only, and what is pressed carries a token that only its own pages show.
    """

    def __init__(self, stage: Stage, control: Control) -> None:
        self._stage = stage
        self._control = control
        self._token = secrets.token_urlsafe(24)

    def answer(self, request: Request) -> Answer:
        """Show a page, or do what was pressed and say so."""
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname
        if host not in _HERE:
            raise StripeError(403, "This page is shown at 127.0.0.1 and localhost only.")
        if request.verb == "POST":
            return self._press(request)
        said = PRESSES.get(parse_qs(request.query).get("said", [""])[0])
        return self._show(200, request.path, said.said if said else "")

    def _press(self, request: Request) -> Answer:
        text = request.body.decode("ascii", errors="replace")
        typed = {name: texts[0] for name, texts in parse_qs(text).items()}
        if not hmac.compare_digest(typed.get("token", "").encode(), self._token.encode()):
            message = "This page is older than the sandbox. Load it again, then press once more."
            raise StripeError(403, message)
        name, _, of = typed.get("press", "").partition(":")
        if name not in PRESSES or not re.fullmatch(r"\w*", of):
            raise StripeError(400, "There is no such button. Load the page again.")
        path, body = PRESSES[name].call(of)
        try:
            self._control.play("POST", path, body)
        except StripeError as error:
            return self._show(error.status, request.path, str(error), is_problem=True)
        return redirect(f"{request.path}?said={name}")

    def _show(self, status: int, path: str, sentence: str, *, is_problem: bool = False) -> Answer:
        """Show the accounts at `/`, one account below it, and a sentence above."""
        kind, role = ("problem", "alert") if is_problem else ("said", "status")
        line = f'<p class="{kind}" role="{role}">{escape(sentence)}</p>' if sentence else ""
        identifier = path.removeprefix("/accounts/")
        with self._stage.store.transaction():
            parts = board_rows.network(self._stage)
            if path == "/":
                parts |= board_rows.accounts(self._stage)
            else:
                parts |= board_rows.account(*self._stage.find("account", identifier))
        content = filled("board.html", action=escape(path), line=line, token=self._token, **parts)
        return page(status, "Board", content, kind="board")
