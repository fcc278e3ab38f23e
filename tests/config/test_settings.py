"""Settings that say what is missing, and what follows from others."""

import runpy

import pytest
from django.core.exceptions import ImproperlyConfigured

from common.sql import application_role
from config import settings as our_settings
from config.settings import database


def test_a_database_that_is_not_named_is_asked_for():
    with pytest.raises(ImproperlyConfigured, match=r"NO_SUCH_URL is not set\. Run commands"):
        database("NO_SUCH_URL")


def test_a_role_that_would_not_be_safe_in_sql_is_refused(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "USER", 'x"; DROP TABLE y; --')

    with pytest.raises(ValueError, match="cannot be the application's database role"):
        application_role()


@pytest.mark.parametrize(
    ("sender", "is_from"),
    [
        ("", "Almoner <noreply@give.example.org>"),
        ("Pond <hello@pond.example>", "Pond <hello@pond.example>"),
    ],
)
def test_mail_is_from_the_host_unless_an_operator_says_otherwise(monkeypatch, sender, is_from):
    monkeypatch.setenv("BASE_URL", "https://give.example.org:8443")
    monkeypatch.setenv("DEFAULT_FROM_EMAIL", sender)

    read = runpy.run_path(our_settings.__file__)

    assert (read["DEFAULT_FROM_EMAIL"], read["SERVER_EMAIL"]) == (is_from, is_from)
