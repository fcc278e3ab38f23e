"""Settings that say what is missing."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from common.sql import application_role
from config.settings import database


def test_a_database_that_is_not_named_is_asked_for():
    with pytest.raises(ImproperlyConfigured, match=r"NO_SUCH_URL is not set\. Run commands"):
        database("NO_SUCH_URL")


def test_a_role_that_would_not_be_safe_in_sql_is_refused(settings, monkeypatch):
    monkeypatch.setitem(settings.DATABASES["default"], "USER", 'x"; DROP TABLE y; --')

    with pytest.raises(ValueError, match="cannot be the application's database role"):
        application_role()
