"""The way in: what headers may say, and nothing makes it fall over."""

from io import BytesIO
from typing import Any

import pytest

from config.wsgi import application

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "header",
    [
        {"CONTENT_TYPE": "application/json; a*=x'y'z"},
        {"CONTENT_TYPE": "application/json; charset=utf-8"},
        {"CONTENT_LENGTH": "0"},
        {"CONTENT_LENGTH": "a lot"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "\N{FULLWIDTH DIGIT ONE}"},
        {},
    ],
)
def test_headers_that_django_stumbles_over_are_answered(header: dict[str, str]):
    told: list[Any] = []

    application(
        {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/health",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "wsgi.input": BytesIO(),
            "wsgi.url_scheme": "http",
            **header,
        },
        lambda status, headers: told.append(status),
    )

    assert told == ["200 OK"]
