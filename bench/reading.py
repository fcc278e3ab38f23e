"""The section `read`: the export, the ledger page and the balances, of a short and a long book."""

import random
import tempfile
import time
from pathlib import Path
from statistics import median

from bench.books import kept_slug
from bench.download import download
from bench.figures import Figures
from bench.load import Request, send
from bench.programs import Programs, collect_static, programs
from bench.scale import Scale
from ledger.models import Book

SHORT, LONG = "10k", "1m"
WARM_UP = 10
MEGABYTE = 1_000_000
PATHS = {
    "page": "/o/{slug}/ledger",
    "balance": "/v1/public/organisations/{slug}/balances",
}


def measure(scale: Scale, figures: Figures) -> None:
    """Measure the export first, on a server that has done nothing else, then pages and balances."""
    collect_static()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, programs(Path(name)) as running:
        port = running.start_web()
        measure_export(scale, figures, running, port)
        for _ in range(scale.runs_http):
            measure_latency(scale, figures, port)


def measure_export(scale: Scale, figures: Figures, running: Programs, port: int) -> None:
    """Download the long book, and ask for the peak of whichever server process sent it."""
    slug = kept_slug(LONG)
    entries = Book.objects.get(organisation__slug=slug).size
    path = f"/v1/public/organisations/{slug}/ledger/export?format=ndjson"
    download(port, PATHS["balance"].format(slug=slug))
    before = running.peak_rss_mb("web")
    for _ in range(scale.runs_http):
        started = time.perf_counter()
        size = download(port, path)
        taken = time.perf_counter() - started
        figures.add("export_per_s", entries / taken)
        figures.add("export_mb_per_s", size / MEGABYTE / taken, "MB/s")
        after = running.peak_rss_mb("web")
        if before is None or after is None:
            figures.skip("export_peak_rss_mb", "only Linux tells a process's peak")
            continue
        figures.add("export_peak_rss_mb", after, "MB")
        figures.add("export_rss_growth_mb", after - before, "MB")


def measure_latency(scale: Scale, figures: Figures, port: int) -> None:
    """Ask for each page of each book, in an order that favours none, over one connection."""
    asked = {
        f"{name}_{size}_ms": Request(path.format(slug=kept_slug(size)))
        for name, path in PATHS.items()
        for size in (SHORT, LONG)
    }
    rounds = WARM_UP + scale.requests
    order = [name for _ in range(rounds) for name in random.sample(list(asked), len(asked))]
    taken: dict[str, list[float]] = {name: [] for name in asked}
    each = send(port, [asked[name] for name in order]).each
    for name, latency in zip(order, each, strict=True):
        taken[name].append(latency)
    for name, latencies in taken.items():
        figures.add(name, 1000 * median(latencies[WARM_UP:]), "ms")
