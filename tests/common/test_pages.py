"""Whose request it is: what our own proxies say, and nothing that a stranger writes."""

import pytest
from django.test import RequestFactory

from common.pages import client_address

NEAR = "172.18.0.5"


def address(forwarded=None):
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_address(RequestFactory(REMOTE_ADDR=NEAR).get("/", headers=headers))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, NEAR),
        (0, "192.0.2.1", NEAR),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        (2, "10.0.0.1,192.0.2.1 , 198.51.100.7", "192.0.2.1"),
        (1, "2001:DB8::0:7", "2001:db8::7"),
        (2, "192.0.2.1", NEAR),
        (1, None, NEAR),
        (1, "", NEAR),
        (1, "192.0.2.1,", NEAR),
        (1, "unknown", NEAR),
        (1, "192.0.2.1:443", NEAR),
        (1, "\x00é" * 4000, NEAR),
        (1, "," * 4000, NEAR),
        (-1, "192.0.2.1", NEAR),
    ],
)
def test_the_address_is_the_one_that_our_outermost_proxy_saw(
    settings, proxies, forwarded, expected
):
    settings.TRUSTED_PROXY_COUNT = proxies

    assert address(forwarded) == expected


def test_a_server_that_knows_no_address_names_none():
    request = RequestFactory().get("/")
    del request.META["REMOTE_ADDR"]

    assert client_address(request) == ""
