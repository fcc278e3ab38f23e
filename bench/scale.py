"""How much is measured: enough for figures, or just enough to show that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """
    Counts of everything that is done in one run; `runs` is how often, `runs_http` over HTTP.

    `calls` is how often a batch of each size is written, `sizes` what the kept books hold;
    `warm_up` deliveries go before those that count. Desks of staff are kept with so many cases;
    their pages are opened in `turns`, after as many openings that do not count. An attack has so
    many `attempts`; meanwhile, and before, others promise so many gifts.
    """

    runs: int
    runs_http: int
    calls: dict[int, int]
    writers: int
    sizes: dict[str, int]
    gifts: int
    deliveries: int
    requests: int
    warm_up: int
    desks: dict[str, int]
    turns: int
    attempts: int
    others: int
    others_before: int
    connections: int = 16


FULL = Scale(
    runs=5,
    runs_http=3,
    calls={1: 400, 100: 30, 1000: 8},
    writers=8,
    sizes={"10k": 10_000, "100k": 100_000, "1m": 1_000_000},
    gifts=300,
    deliveries=2000,
    requests=150,
    warm_up=200,
    desks={"1k": 1_000, "100k": 100_000},
    turns=10,
    attempts=10_000,
    others=240,
    others_before=80,
)
QUICK = Scale(
    runs=2,
    runs_http=2,
    calls={1: 4, 100: 1, 1000: 1},
    writers=2,
    sizes={"10k": 20, "100k": 40, "1m": 60},
    gifts=4,
    deliveries=16,
    requests=4,
    warm_up=4,
    desks={"1k": 10, "100k": 20},
    turns=1,
    attempts=60,
    others=4,
    others_before=4,
    connections=4,
)
