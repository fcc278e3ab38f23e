"""A fresh profile of Chromium for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext


@pytest.fixture
def open_context(chromium, live_server) -> Iterator[Callable[..., BrowserContext]]:
    """Return what opens a profile of its own, at the address of the live server."""
    contexts = []

    def open_one(**options) -> BrowserContext:
        context = chromium.new_context(base_url=live_server.url, **options)
        context.set_default_timeout(10_000)
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        context.close()
