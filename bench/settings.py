"""The product's settings, with the bench's own URLs beside the product's."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
