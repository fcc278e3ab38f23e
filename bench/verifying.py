"""The section `verify`: the server's audit, the command-line verifier, the browser."""

import sys
import tempfile
from pathlib import Path

from bench.books import kept_slug
from bench.browser import measure_browser
from bench.download import download
from bench.figures import Figures
from bench.programs import collect_static, programs, run_program
from bench.scale import Scale
from config.runner import MANAGE
from ledger.models import PUBLIC, Book

AUDITED, VERIFIED = "1m", "100k"


def measure(scale: Scale, figures: Figures) -> None:
    """Audit the longest book; verify the export of a shorter one with the program and the page."""
    slug, audited = kept_slug(VERIFIED), kept_slug(AUDITED)
    entries, rows = book_of(slug).size, book_of(audited).size
    collect_static()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, programs(Path(name)) as running:
        port = running.start_web()
        export, checkpoint = Path(name, "export.ndjson"), Path(name, "checkpoint")
        with export.open("wb") as file:
            download(port, f"/v1/public/organisations/{slug}/ledger/export?format=ndjson", file)
        with checkpoint.open("wb") as file:
            download(port, f"/log/{book_of(slug).organisation_id}/checkpoint", file)
        for _ in range(scale.runs_http):
            wall, cpu = run_program(*MANAGE, "audit_ledger", "--organisation", audited)
            figures.add("audit_per_s", rows / wall)
            figures.add("audit_per_cpu_s", rows / cpu)
            command = [sys.executable, "verifier/almoner_verify.py", "export", str(export)]
            wall, _ = run_program(*command, "--quiet")
            figures.add("verifier_per_s", entries / wall)
        measure_browser(scale, figures, port, [export, checkpoint])


def book_of(slug: str) -> Book:
    """Return the public book of an organisation."""
    return Book.objects.get(organisation__slug=slug, book=PUBLIC)
