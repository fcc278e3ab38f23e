"""The browser: the page /verify in headless Chromium, with files chosen as a visitor would."""

import os
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.figures import Figures, seconds
from bench.scale import Scale
from config.surroundings import LOOPBACK

FIGURE = "browser_100k_s"
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
TIMEOUT_MS = 120_000
CHOOSER = "form[data-verify-file] input[type=file]"
PANEL = "[data-verify][data-verdict]"
GOOD = {"VALID", "UNWITNESSED"}


def measure_browser(scale: Scale, figures: Figures, port: int, files: Sequence[Path]) -> None:
    """Measure from the choice of an export and its checkpoint to the verdict on the page."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        figures.skip(FIGURE, "there is no Chromium here: install the package `chromium`")
        return
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *as_root])
        for _ in range(scale.runs_http):
            page = browser.new_page()
            page.goto(f"http://{LOOPBACK}:{port}/verify", wait_until="networkidle")
            taken = seconds(partial(verify, page, files))
            verdict = page.get_attribute(PANEL, "data-verdict")
            assert verdict in GOOD, verdict
            figures.add(FIGURE, taken, "s")
            page.close()
        browser.close()


def verify(page: Page, files: Sequence[Path]) -> None:
    """Choose the files, and wait for the verdict."""
    page.set_input_files(CHOOSER, files)
    page.wait_for_selector(PANEL, timeout=TIMEOUT_MS)
