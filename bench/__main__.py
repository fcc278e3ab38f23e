"""
`make bench`: how fast Almoner is with durability on and every guarantee in force.

    make bench                            everything, in under ten minutes
    make bench ARGS="append webhooks"     chosen sections
    make bench ARGS=--quick               shows that it runs; its figures mean nothing

Prints a table and writes `bench/results/latest.json`. docs/benchmarks.md says what each figure is.
"""

import argparse
import os
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.settings"
django.setup()

from django.core.management import call_command  # noqa: E402 - after the set-up

from bench import attack, cluster, desk, reading, verifying, webhooks, writing  # noqa: E402
from bench.books import fill_kept_books  # noqa: E402
from bench.figures import Figures, table, write  # noqa: E402
from bench.scale import FULL, QUICK  # noqa: E402

LATEST = Path(__file__).resolve().parent / "results" / "latest.json"
SECTIONS = {
    "append": writing.measure,
    "webhooks": webhooks.measure,
    "verify": verifying.measure,
    "read": reading.measure,
    "desk": desk.measure,
    "attack": attack.measure,
}


def main(arguments: list[str]) -> int:
    """Measure, print, write; return the exit code."""
    chosen = parser().parse_args(arguments)
    scale, figures = QUICK if chosen.quick else FULL, Figures()
    call_command("migrate", verbosity=0)
    try:
        if not chosen.quick:
            cluster.require_durable()
        cluster.require_own_database()
    except cluster.Refusal as refusal:
        sys.stderr.write(f"bench: {refusal}\n")
        return 1
    fill_kept_books(scale.sizes)
    for name in chosen.sections or SECTIONS:
        sys.stderr.write(f"{name}\n")
        SECTIONS[name](scale, figures)
    told = figures.told(cluster.machine()) | {"is_quick": chosen.quick}
    print(table(told))
    write(told, chosen.output)
    return 0


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    words = argparse.ArgumentParser(prog="bench", description=__doc__.partition("\n\n")[0])
    words.add_argument(
        "sections", nargs="*", type=section, metavar="SECTION", help=", ".join(SECTIONS)
    )
    words.add_argument("--quick", action="store_true", help="a few of everything")
    words.add_argument("--output", type=Path, default=LATEST, help="the JSON file")
    return words


def section(name: str) -> str:
    """Return the name of a section. Raises what argparse shows for others."""
    if name not in SECTIONS:
        raise argparse.ArgumentTypeError(f"choose from {', '.join(SECTIONS)}")
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
