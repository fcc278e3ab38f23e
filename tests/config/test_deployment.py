"""The proxy that we ship: what it writes into no log, and whom it says that a request is from."""

import re

import pytest
from django.conf import settings
from django.urls import reverse

LOCATION = re.compile(r"^    location (~ )?(\S+) \{\n(.*?)^    \}", re.MULTILINE | re.DOTALL)
SECRET = [
    ("donation-detail", ["don_1"]),
    ("donation-opening", ["don_1"]),
    ("donation-erase", ["don_1"]),
    ("me", []),
    ("me-open", []),
    ("recurring-mend", ["rec_1"]),
    ("apply-begin", []),
    ("invitation", ["inv_1"]),
    ("account_login", []),
    ("account_confirm_email", ["key:1"]),
    ("account_reset_password_from_key", ["1", "key"]),
    ("stripe-return", []),
    ("api-owner", ["ann"]),
]


def configured():
    return (settings.BASE_DIR / "deploy" / "nginx.conf").read_text("utf-8")


def is_logged(path):
    """Tell whether the proxy logs requests for a path: a pattern wins over a prefix."""
    found = LOCATION.findall(configured())
    patterns = [body for is_pattern, rule, body in found if is_pattern and re.search(rule, path)]
    prefixes = [body for is_pattern, rule, body in found if not is_pattern and rule == "/"]
    return "access_log off;" not in (patterns or prefixes)[0]


@pytest.mark.parametrize(("name", "arguments"), SECRET, ids=str)
def test_addresses_in_which_secrets_stand_are_not_logged(name, arguments):
    assert not is_logged(reverse(name, args=arguments))


@pytest.mark.parametrize(
    "path", ["/", "/media", "/organisations", "/o/lantern/donate", "/v1/donations", "/dashboard"]
)
def test_other_addresses_are_logged(path):
    assert is_logged(path)


def test_the_page_before_is_not_logged():
    [(name, parts)] = re.findall(r"log_format (\w+) (.*?);", configured(), re.DOTALL)

    assert f"access_log /var/log/nginx/access.log {name};" in configured()
    assert "referer" not in parts


def test_the_proxy_adds_the_address_that_it_was_asked_from():
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in configured()
