"""The section `attack`: cards are tested on one organisation's form while others are given to."""

import secrets
import tempfile
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from bench.books import open_book
from bench.cluster import checkpoint
from bench.figures import Figures
from bench.gifts import Giving
from bench.load import Request, send
from bench.programs import collect_static, programs
from bench.scale import Scale
from common.stripe_api import client, on_account
from reviews.models import Case

ATTEMPTS_PER_SECOND = 10_000 / 60
ATTACKERS = 64
# So few that no organisation's own visitors are a rush, and that the cores have time for more.
OTHERS = 12
OTHERS_PER_SECOND = 4
GOES_ON, PUZZLE = "303", "429"
# Every visitor has an address of their own, among public ones.
FIRST_ADDRESS = IPv4Address("8.0.0.1")


def measure(scale: Scale, figures: Figures) -> None:
    """Have gifts promised to others in calm, then while one organisation's form is attacked."""
    collect_static()  # whoever is challenged gets a page of ours
    with tempfile.TemporaryDirectory(prefix="bench-") as name, programs(Path(name)) as running:
        giving = Giving(running)
        account = giving.account
        others = [open_book(stripe_account=giving.new_account()) for _ in range(OTHERS)]
        slugs = [book.organisation.slug for book in others]
        port = running.start_web(TRUSTED_PROXY_COUNT="1")
        promises(port, slugs, OTHERS)
        checkpoint()
        tell(figures, "calm", promises(port, slugs, scale.others_before))
        with ThreadPoolExecutor() as pool:
            attack = pool.submit(attacked, port, giving.organisation.slug, scale.attempts)
            tell(figures, "attacked", promises(port, slugs, scale.others))
            seconds = attack.result()
        figures.add("attack_answered_per_s", scale.attempts / seconds)
        figures.add("attack_checkouts", checkouts_of(account), "")
        cases = Case.objects.filter(organisation=giving.organisation)
        figures.add("attack_cases", cases.count(), "")


def attacked(port: int, slug: str, attempts: int) -> float:
    """Send an organisation's form as often as programs would in a minute; return the seconds."""
    requests = visits([slug], attempts)
    return send(
        port,
        requests,
        connections=ATTACKERS,
        per_second=ATTEMPTS_PER_SECOND,
        expected=(GOES_ON, PUZZLE),
    ).seconds


def promises(port: int, slugs: list[str], count: int) -> list[float]:
    """Let others give, one after the other; return how long each promise took."""
    requests = visits(slugs, count)
    pace = OTHERS_PER_SECOND
    return send(port, requests, connections=pace, per_second=pace, expected=(GOES_ON,)).each


def tell(figures: Figures, when: str, each: list[float]) -> None:
    """Keep how long promises took."""
    figures.add(f"promise_{when}_ms", 1000 * median(each), "ms")
    figures.add(f"promise_p95_{when}_ms", 1000 * quantiles(each, n=20)[-1], "ms")


def visits(slugs: list[str], count: int) -> list[Request]:
    """Return forms as different people send them, from as many addresses."""
    start = FIRST_ADDRESS + secrets.randbits(23)
    return [
        visit(slug, str(start + number)) for number, slug in enumerate(islice(cycle(slugs), count))
    ]


def visit(slug: str, address: str) -> Request:
    """Return the form of one visitor, in a browser that has its cookie."""
    token = secrets.token_hex(16)
    form = {
        "csrfmiddlewaretoken": token,
        "currency": "EUR",
        "amount": "2500",
        "fund": "general",
        "email": f"{token}@bench.example",
        "key": token,
    }
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": f"csrftoken={token}",
        "X-Forwarded-For": address,
    }
    return Request(f"/o/{slug}/donate", urlencode(form), headers)


def checkouts_of(account: str) -> int:
    """Return how many payment pages were opened at Stripe for an account."""
    sessions = client().v1.checkout.sessions.list({"limit": 100}, on_account(account))
    return sum(1 for _ in sessions.auto_paging_iter())
