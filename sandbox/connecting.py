"""How accounts come to the platform: the pages of account links and OAuth, and OAuth's calls."""

from collections.abc import Mapping
from html import escape
from urllib.parse import parse_qs, urlencode, urlsplit

from sandbox import account_links, accounts, oauth
from sandbox.api import require_key
from sandbox.errors import StripeError
from sandbox.messages import Answer, Request, as_json, redirect
from sandbox.oauth import OAuthError
from sandbox.paper import filled, page, sentence_page
from sandbox.scope import ScopeOf
from sandbox.store import Store

_CALLS = {"/oauth/token": oauth.token, "/oauth/deauthorize": oauth.deauthorize}
_ACCOUNTS_SHOWN = 20
_NEW = "new"
_LISTED = """
SELECT id, json_extract(body, '$.business_profile.name') FROM resources
WHERE kind = 'account' AND id <> ? ORDER BY position DESC LIMIT ?
"""


class Connecting:
    """Answers browsers that connect an account, and the platform that asks which one it was."""

    def __init__(self, store: Store, scope_of: ScopeOf, secret_key: str) -> None:
        self._store = store
        self._scope_of = scope_of
        self._secret_key = secret_key

    def answer(self, request: Request) -> Answer:
        """Return what a path below `/oauth/` or `/setup/` answers."""
        if request.path in _CALLS:
            return self._call(request)
        try:
            with self._store.transaction():
                if request.path.startswith("/setup/"):
                    return self._set_up(request, request.path.removeprefix("/setup/"))
                if request.path == "/oauth/authorize":
                    return self._authorize(request)
            raise StripeError(404, "There is no such page.")
        except StripeError as error:
            return sentence_page(error.status, str(error))

    def _call(self, request: Request) -> Answer:
        try:
            require_key(request, self._secret_key)
            with self._store.transaction():
                sent = _fields(request.body.decode("ascii", errors="replace"))
                return as_json(200, _CALLS[request.path](self._store, self._scope_of, sent))
        except (OAuthError, StripeError) as error:
            return as_json(error.status, error.body)

    def _set_up(self, request: Request, token: str) -> Answer:
        link = account_links.find(self._store, token)
        if account_links.is_over(link):
            return redirect(link["refresh_url"])
        scope = self._scope_of(link["account"])
        if request.verb == "POST":
            text = request.body.decode("ascii", errors="replace")
            accounts.fill_in(scope, parse_qs(text).get("fields", []))
            account_links.use_up(self._store, token, link)
            return redirect(link["return_url"])
        account = scope.load("account", scope.account)
        due = account["requirements"]["currently_due"]
        boxes = "".join(map(_box, due)) or "<li>Nothing is due.</li>"
        shown = {"action": f"/setup/{token}", "account": account["id"], "boxes": boxes}
        return page(200, "Set up an account", _filled("setup.html", shown))

    def _authorize(self, request: Request) -> Answer:
        asked = _fields(request.query)
        back = _checked(asked)
        if request.verb != "POST":
            rows = self._store.rows(_LISTED, self._scope_of(None).account, _ACCOUNTS_SHOWN)
            options = "".join(_option(name, title or "Unnamed") for name, title in rows)
            shown = {"action": f"/oauth/authorize?{request.query}", "options": options}
            return page(200, "Connect an account", _filled("authorize.html", shown, raw="options"))
        chosen = _fields(request.body.decode("ascii", errors="replace"))
        separator = "&" if urlsplit(back).query else "?"
        return redirect(f"{back}{separator}{self._outcome(asked, chosen)}")

    def _outcome(self, asked: Mapping[str, str], chosen: Mapping[str, str]) -> str:
        state = {"state": asked["state"]} if "state" in asked else {}
        if chosen.get("decision") != "connect":
            told = {"error": "access_denied", "error_description": "The user denied your request"}
            return urlencode({**told, **state})
        account = chosen.get("account", "")
        if account == _NEW:
            country = chosen.get("country", "").upper()[:2] or "FR"
            account = accounts.open_elsewhere(self._store, country)["id"]
        found = self._store.find(account)
        if not found or found[1]["object"] != "account":
            raise StripeError(400, "Choose one of the accounts.")
        code = oauth.issue_code(self._store, account)
        return urlencode({"scope": "read_write", "code": code, **state})


def _checked(asked: Mapping[str, str]) -> str:
    """Return where to go back to; what the platform asked wrongly is told on a page."""
    back = asked.get("redirect_uri", "")
    if asked.get("response_type") != "code" or asked.get("scope") != "read_write":
        raise StripeError(400, "The platform must ask for a code, with the scope read_write.")
    if not asked.get("client_id", "").startswith("ca_"):
        raise StripeError(400, "No application has this client_id.")
    if urlsplit(back).scheme not in ("http", "https"):
        raise StripeError(400, "The redirect_uri is not a complete URL.")
    return back


def _fields(text: str) -> dict[str, str]:
    return {name: texts[0] for name, texts in parse_qs(text).items()}


def _box(field: str) -> str:
    name = escape(field)
    box = f'<input type="checkbox" name="fields" value="{name}" checked>'
    return f'<li><label class="box">{box} {name}</label></li>'


def _option(account: str, name: str) -> str:
    return f'<option value="{account}">{escape(name)} ({account})</option>'


def _filled(name: str, shown: dict[str, str], raw: str = "boxes") -> str:
    escaped = {key: text if key == raw else escape(text) for key, text in shown.items()}
    return filled(name, **escaped)
