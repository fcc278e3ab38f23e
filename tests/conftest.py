"""Fixtures for all tests."""

import pytest

from tests.chromium import chromium  # noqa: F401 - a fixture

PLAIN = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture(autouse=True)
def plain_static_files(settings) -> None:
    """Name static files as they are: nobody collected them for the tests."""
    settings.STORAGES = {**settings.STORAGES, "staticfiles": PLAIN}
