"""A sandbox in a thread, a receiver of its events, and clients of both its halves."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests
import stripe

from sandbox.__main__ import run
from sandbox.application import Application, Settings
from sandbox.server import Server

SECRET_KEY = "sk_test_sandbox"
WEBHOOK_SECRET = "whsec_sandbox"
WAIT_SECONDS = 10


def until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Return what the condition becomes once it is true; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.005)
    return found


class Receiver(ThreadingHTTPServer):
    """A webhook: checks every signature with the library, keeps the events, answers `status`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.events: list[stripe.Event] = []
        self.status = 200
        self.refused = 0
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook?from=stripe"

    def kinds(self, account: str) -> list[str]:
        return [event.type for event in self.of(account)]

    def of(self, account: str) -> list[stripe.Event]:
        return [event for event in self.events if getattr(event, "account", None) == account]

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Hook(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        event = stripe.Webhook.construct_event(
            body, self.headers["Stripe-Signature"], WEBHOOK_SECRET
        )
        if self.server.status == 200:
            self.server.events.append(event)
        else:
            self.server.refused += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Sandbox:
    """The clients of one running sandbox."""

    def __init__(self, url: str, receiver: Receiver) -> None:
        self.url = url
        self.receiver = receiver
        self.stripe = stripe.StripeClient(
            SECRET_KEY, base_addresses={"api": url}, max_network_retries=0
        )
        self.v1 = self.stripe.v1
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {SECRET_KEY}"

    def ask(self, verb: str, path: str, account: str | None = None, **more: Any) -> Any:
        headers = {**({"Stripe-Account": account} if account else {}), **more.pop("headers", {})}
        return self.http.request(verb, self.url + path, headers=headers, timeout=30, **more)

    def control(self, path: str, *, verb: str = "POST", expect: int = 200, **values: Any) -> Any:
        response = self.ask(verb, f"/_control/{path}", json=values)
        assert response.status_code == expect, response.text
        return response.json()

    def flush(self) -> Any:
        counts = self.control("delivery/flush", timeout=WAIT_SECONDS)
        assert counts["is_flushed"], counts
        return counts

    def account(self, country: str = "FR", **fields: Any) -> str:
        return self.v1.accounts.create({"country": country, "type": "standard", **fields}).id

    def session(self, account: str, amount: int = 5000, currency: str = "eur", **fields: Any):
        price = {"currency": currency, "unit_amount": amount, "product_data": {"name": "Gift"}}
        return self.v1.checkout.sessions.create(
            {
                "mode": "payment",
                "submit_type": "donate",
                "line_items": [{"quantity": 1, "price_data": price}],
                "success_url": "http://127.0.0.1:1/thanks?session={CHECKOUT_SESSION_ID}",
                **fields,
            },
            {"stripe_account": account},
        )

    def monthly(self, account: str, amount: int = 1000, currency: str = "eur", **fields: Any):
        """Open the session of a gift that comes again each month, or at another `interval`."""
        price = {
            "currency": currency,
            "unit_amount": amount,
            "product_data": {"name": "Gift"},
            "recurring": {"interval": fields.pop("interval", "month")},
        }
        return self.v1.checkout.sessions.create(
            {
                "mode": "subscription",
                "line_items": [{"quantity": 1, "price_data": price}],
                "success_url": "http://127.0.0.1:1/thanks",
                **fields,
            },
            {"stripe_account": account},
        )

    def subscription(self, account: str, amount: int = 1000, **fields: Any) -> stripe.Subscription:
        """Begin a subscription and return it."""
        paid = self.pay(self.monthly(account, amount, **fields).id, email="zoe@example.org")
        return self.v1.subscriptions.retrieve(
            paid["subscription"], None, {"stripe_account": account}
        )

    def pay(self, session: str, card: str = "4242424242424242", **more: Any) -> Any:
        return self.control(f"checkout/{session}/pay", card_number=card, **more)

    def debit(self, account: str, iban: str, **fields: Any) -> Any:
        """Pay a session of 120 EUR by bank debit and return it, with its intent and its charge."""
        session = self.control(
            f"checkout/{self.session(account, 12_000, **fields).id}/pay",
            iban=iban,
            email="jo@example.org",
        )
        intent = self.v1.payment_intents.retrieve(
            session["payment_intent"], {"expand": ["latest_charge"]}, {"stripe_account": account}
        )
        return session, intent, intent.latest_charge

    def gift(self, account: str, amount: int = 5000, currency: str = "eur", **more: Any):
        """Give by a PaymentIntent, settle, and return the charge."""
        method = more.pop("payment_method", "pm_card_visa")
        intent = self.v1.payment_intents.create(
            {
                "amount": amount,
                "currency": currency,
                "payment_method": method,
                "confirm": True,
                **more,
            },
            {"stripe_account": account},
        )
        self.flush()
        return self.v1.charges.retrieve(intent.latest_charge, None, {"stripe_account": account})

    def balance(self, account: str) -> dict[str, int]:
        """Return available + pending per currency."""
        balance = self.v1.balance.retrieve(None, {"stripe_account": account})
        sums: dict[str, int] = {}
        for part in [*balance.available, *balance.pending]:
            sums[part.currency] = sums.get(part.currency, 0) + part.amount
        return sums

    def movements(self, account: str, **filters: Any) -> list[stripe.BalanceTransaction]:
        page = self.v1.balance_transactions.list(
            {"limit": 100, **filters}, {"stripe_account": account}
        )
        return list(page.auto_paging_iter())


@contextmanager
def running(folder: Path, receiver: Receiver, **settings: Any) -> Iterator[Sandbox]:
    """Serve a sandbox from a thread until the block ends."""
    server = Server(0)
    application = Application(
        Settings(folder, receiver.url, WEBHOOK_SECRET, SECRET_KEY, **settings), server.url
    )
    over = threading.Event()
    thread = threading.Thread(target=run, args=(server, application, over))
    thread.start()
    sandbox = Sandbox(server.url, receiver)
    until(lambda: sandbox.ask("GET", "/healthz").ok)
    try:
        yield sandbox
    finally:
        sandbox.http.close()
        over.set()
        thread.join()
