"""The section `desk`: what staff open of it, with few and with many cases."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.cluster import own_database
from bench.figures import Figures
from bench.load import Request, send
from bench.programs import ROOT, Programs, collect_static, programs
from bench.scale import Scale

QUEUE = "/admin/reviews/case/?tab={}"
FIGURES = "figures"
TABS = ("mine", "open", "put_off", "decided")


class Desk(NamedTuple):
    """A web server on a database with so many cases, and the pages that somebody opens there."""

    size: str
    port: int
    pages: dict[str, Request]


def measure(scale: Scale, figures: Figures) -> None:
    """Open the queue, the page of a case and the figures, at desks with few and many cases."""
    collect_static()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, programs(Path(name)) as running:
        desks = [furnished(running, size, cases) for size, cases in scale.desks.items()]
        for desk in desks:
            opened(desk, scale.turns)
        for _ in range(scale.runs_http):
            measure_latency(scale, figures, desks)


def furnished(running: Programs, size: str, cases: int) -> Desk:
    """Return a desk; its database is filled once, and kept."""
    sys.stderr.write(f"  a desk with {cases:,} cases\n")
    database = own_database(f"bench_desk_{size}")
    command = [sys.executable, "-m", "bench.desk_rows", str(cases)]
    environment = running.environment | database
    done = subprocess.run(  # noqa: S603 - our own program
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE
    )
    told = json.loads(done.stdout)
    signed_in = {"Cookie": told["cookie"]}
    port = running.start_web(f"web_{size}", **database, REQUIRE_SECOND_FACTOR="0")
    paths = {f"queue_{tab}": QUEUE.format(tab) for tab in TABS}
    paths |= {"case": told["case"], FIGURES: "/admin/figures/"}
    pages = {page: Request(path, headers=signed_in) for page, path in paths.items()}
    return Desk(size, port, pages)


def measure_latency(scale: Scale, figures: Figures, desks: list[Desk]) -> None:
    """Open the pages of the desks in short turns, so that a noisy moment hits all of them."""
    taken: dict[str, list[float]] = {}
    for _ in range(scale.turns):
        for desk in desks:
            for page, each in opened(desk, scale.requests // scale.turns).items():
                taken.setdefault(f"{page}_{desk.size}_ms", []).extend(each)
    for name, each in taken.items():
        figures.add(name, 1000 * median(each), "ms")


def opened(desk: Desk, times: int) -> dict[str, list[float]]:
    """
    Open each page of a desk so often, in an order that favours none; return the seconds.

    The figures, which are added up from all that there is, are opened once, at the end.
    """
    pages = [page for page in desk.pages if page != FIGURES]
    order = [page for _ in range(times) for page in random.sample(pages, len(pages))]
    order.append(FIGURES)
    taken: dict[str, list[float]] = {page: [] for page in desk.pages}
    each = send(desk.port, [desk.pages[page] for page in order]).each
    for page, seconds in zip(order, each, strict=True):
        taken[page].append(seconds)
    return taken
