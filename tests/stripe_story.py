"""
A small Stripe on loopback that answers what a test put into it, and one story to put there.

It knows lists, newest first, and objects by their id; it can be out of order in several ways. The
story (`tests/data/stripe_story`) is every event of one connected account, and what its API says.
"""

import hmac
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

FOLDER = Path(__file__).parent / "data" / "stripe_story"
TRUTH = json.loads((FOLDER / "_truth.json").read_text())
ACCOUNT = TRUTH["account"]
SECRET = "whsec_test_current"
PLACEHOLDERS = {name: gift["donation_id"] for name, gift in TRUTH["donations"].items()}
KINDS = ("balance_transactions", "charges", "refunds", "disputes", "payouts", "payment_intents")
BILLING = ("invoices", "invoice_payments", "subscriptions")
LISTS = (*KINDS, *BILLING, "events")
TROUBLES = ("429", "500", "silence", "half a body", "half an object")

Resource = dict[str, Any]


def sign(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    """Return the header that Stripe would send beside a body."""
    moment = int(time.time() if at is None else at)
    signature = hmac.new(secret.encode(), b"%d.%b" % (moment, body), "sha256").hexdigest()
    return f"t={moment},v1={signature}"


class Account:
    """
    What one connected account holds; `now` hides what was created later.

    `compositions` are the balance transactions in each payout.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.objects: dict[str, list[Resource]] = defaultdict(list)
        self.now = 2**40
        self.told_balance: Resource | None = None
        self.compositions: dict[str, list[str]] = {}
        self.told_account: Resource | None = {"object": "account", "charges_enabled": True}

    def put(self, kind: str, *objects: Resource) -> None:
        """Add objects to a list; of one second, the first is the newest."""
        self.objects[kind] += objects

    def list(self, kind: str) -> list[Resource]:
        """Return what there is, newest first."""
        there = [one for one in self.objects[kind] if one.get("created", 0) <= self.now]
        return sorted(there, key=lambda one: -one.get("created", 0))

    def find(self, name: str) -> Resource | None:
        """Return an object by its id."""
        every = (one for kind in (*KINDS, *BILLING) for one in self.list(kind))
        return next((one for one in every if one["id"] == name), None)

    def balance(self) -> Resource:
        """Return what the test tells, or else the sums of what moved."""
        if self.told_balance:
            return self.told_balance
        sums: dict[str, int] = defaultdict(int)
        for row in self.list("balance_transactions"):
            sums[row.get("currency", "eur")] += row.get("net", 0)
        parts = [{"amount": amount, "currency": code} for code, amount in sums.items()]
        return {"object": "balance", "available": parts, "pending": []}


class StripeServer(ThreadingHTTPServer):
    """
    The API of some accounts.

    `asked` is what it was asked, `breaches` what nobody should have asked; `trouble` is how it is
    out of order. Requests that begin with `holds` are kept waiting until it is `over`.
    """

    daemon_threads = True

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Answer)
        self.accounts: dict[str, Account] = defaultdict(Account)
        self.asked: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.breaches: list[str] = []
        self.trouble = ""
        self.expands = True
        self.holds = "nothing"
        self.held: list[str] = []
        self.over = threading.Event()

    def handle_error(self, *_: object) -> None:
        """Let a caller that was killed be gone; a test that needed the answer fails without it."""

    @property
    def url(self) -> str:
        """Return what STRIPE_API_BASE must be."""
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextmanager
def serving() -> Iterator[StripeServer]:
    """Serve until the block ends; then no request may have broken the rules for all of them."""
    with StripeServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
    assert server.breaches == []


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: StripeServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.headers.append(self.headers)
        account = self.headers["Stripe-Account"]
        if not account or "application_fee" in self.path:
            self.server.breaches.append(self.path)
        if self.path.startswith(self.server.holds):
            self.server.held.append(self.path)
            self.server.over.wait(30)
        if self.server.trouble:
            self._fail(self.server.trouble)
        elif account not in self.server.accounts:
            self._send(403, _error("account_invalid", "No access to this account."))
        else:
            self._send(*self._found(self.server.accounts[account]))

    def do_POST(self) -> None:
        self.server.breaches.append(f"POST {self.path}")
        self.close_connection = True
        self._send(404, _error("unknown", "This Stripe can be read only."))

    def _found(self, account: Account) -> tuple[int, Resource]:
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        match url.path.split("/")[2:]:
            case ["account"] if account.told_account:
                return 200, account.told_account
            case ["balance"]:
                return 200, account.balance()
            case [kind] if kind in LISTS:
                return 200, self._page(account, kind, query)
            case [kind, name] if kind in (*KINDS, *BILLING) and (found := account.find(name)):
                return 200, found
        return 404, _error("resource_missing", "No such thing.")

    def _page(self, account: Account, kind: str, query: Mapping[str, list[str]]) -> Resource:
        rows = [row for row in account.list(kind) if _is_within(row, query)]
        if intent := query.get("payment[payment_intent]"):
            rows = [row for row in rows if row["payment"]["payment_intent"] == intent[0]]
        if payout := query.get("payout"):
            rows = [row for row in rows if row["id"] in account.compositions.get(payout[0], ())]
        if after := query.get("starting_after"):
            rows = rows[[row["id"] for row in rows].index(after[0]) + 1 :]
        page = rows[: int(query.get("limit", ["10"])[0])]
        if self.server.expands and "data.source" in query.get("expand[0]", []):
            page = [{**row, "source": _expanded(account, row["source"])} for row in page]
        return {"object": "list", "data": page, "has_more": len(page) < len(rows)}

    def _fail(self, trouble: str) -> None:
        match trouble:
            case "429" | "500":
                self._send(int(trouble), _error("rate_limit", "Not now."))
            case "half an object":
                self._send(200, '{"object": "list", "data": [')
            case "half a body":
                self._send(200, '{"object": "list", "data": [', missing=100)
            case _:
                self.server.over.wait(30)
                self.close_connection = True

    def _send(self, status: int, told: Resource | str, *, missing: int = 0) -> None:
        body = (told if isinstance(told, str) else json.dumps(told)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) + missing))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection |= bool(missing)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _is_within(row: Resource, query: Mapping[str, list[str]]) -> bool:
    since, until = query.get("created[gte]"), query.get("created[lt]")
    if not since and not until:
        return True
    return int((since or ["0"])[0]) <= row["created"] < int((until or [str(2**60)])[0])


def _expanded(account: Account, source: Any) -> Any:
    return account.find(source) or source if isinstance(source, str) else source


def _error(code: str, message: str) -> Resource:
    return {"error": {"code": code, "message": message, "type": "invalid_request_error"}}


class Story:
    """The story with a test's own gifts, `{"A": "don_…"}`, where it has placeholders."""

    def __init__(self, gifts: Mapping[str, str]) -> None:
        """Remember whose gifts they are."""
        self.gifts = gifts

    def events(self) -> list[bytes]:
        """Return the body of every delivery in the order of the story, its odd ones included."""
        story = json.loads((FOLDER / "_story.json").read_text())
        told = sorted([*story["story"], *story["robustness"]], key=lambda each: each["created"])
        return [self._read(each["file"]).encode() for each in told]

    def fill(self, account: Account) -> None:
        """Put what the API says at the end of the story into an account."""
        for kind in (*KINDS, "invoices", "subscriptions", "events"):
            account.put(kind, *json.loads(self._read(f"api/{kind}.json"))["data"])
        # The list of what pays invoices is told by its event alone.
        paid = json.loads(self._read("invoice_payment.paid.json"))
        account.put("invoice_payments", paid["data"]["object"])
        for number, payout in TRUTH["payouts"].items():
            rows = json.loads(self._read(f"api/balance_transactions.payout{number}.json"))["data"]
            account.compositions[payout["id"]] = [row["id"] for row in rows]

    def _read(self, name: str) -> str:
        text = (FOLDER / name).read_text()
        for letter, gift in self.gifts.items():
            text = text.replace(f'"{PLACEHOLDERS[letter]}"', f'"{gift}"')
        return text
