"""Refusals of the API, each an RFC 9457 problem."""

import json

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory
from django.urls import clear_url_caches, path
from rest_framework import exceptions, serializers
from rest_framework.test import APIRequestFactory

from common import api
from common.errors import DomainError, TryAgainLater
from config import urls

URL = "/v1/public/organisations"


class GlassFull(DomainError):
    """The glass is full."""

    code = "glass_full"


def told(error):
    """Return the problem that an error is told as."""
    response = api.handle_exception(error, {})
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == response.status_code
    return response, problem


def test_a_problem_has_all_its_parts():
    _, problem = told(GlassFull())

    assert problem == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "glass_full",
        "detail": "The glass is full.",
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (GlassFull("So it is."), 409, "glass_full"),
        (TryAgainLater(), 503, "try_again_later"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "authentication_failed"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (PermissionDenied("secret"), 403, "permission_denied"),
        (exceptions.NotFound(), 404, "not_found"),
        (Http404("secret"), 404, "not_found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType("text/x"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=2.5), 429, "throttled"),
        (exceptions.ValidationError("No."), 400, "invalid"),
    ],
)
def test_every_refusal_has_its_status_and_code(error, status, code):
    response, problem = told(error)

    assert (response.status_code, problem["code"]) == (status, code)
    assert "secret" not in problem["detail"]


def test_when_to_come_again_is_said():
    assert told(exceptions.Throttled(wait=2.5))[0]["Retry-After"] == "3"
    assert told(TryAgainLater())[0]["Retry-After"] == "5"


def test_a_bug_is_no_problem_of_the_caller():
    assert api.handle_exception(ValueError("x"), {}) is None


def test_errors_of_fields_are_one_flat_list():
    error = exceptions.ValidationError(
        {"message": ["a"], "donor": {"email": ["b", "c"]}, "rows": [{}, {"x": ["d"]}],
         "non_field_errors": ["e"]}
    )  # fmt: skip

    _, problem = told(error)

    assert [(each["field"], each["detail"]) for each in problem["errors"]] == [
        ("message", "a"), ("donor.email", "b"), ("donor.email", "c"), ("rows.x", "d"), ("", "e"),
    ]  # fmt: skip
    assert problem["detail"] == "message: a"


def test_an_error_of_the_whole_is_its_own_summary():
    class Sum(serializers.Serializer):
        def validate(self, attrs):
            raise serializers.ValidationError("It does not add up.")

    sums = Sum(data={})
    assert not sums.is_valid()

    _, problem = told(exceptions.ValidationError(sums.errors))

    assert problem["detail"] == "It does not add up."


def test_a_body_over_a_mebibyte_is_too_large(client, db):
    parser, factory = api.StrictJSONParser(), APIRequestFactory()
    fits = factory.post("/", b" " * (2**20 - 2) + b"{}", content_type="application/json")
    large = factory.post("/", b" " * (2**20 - 1) + b"{}", content_type="application/json")

    assert parser.parse(fits) == {}
    with pytest.raises(api.BodyTooLarge):
        parser.parse(large)


def test_a_body_that_breaks_off_is_malformed():
    class Gone:
        def read(self, size):
            raise OSError

    with pytest.raises(api.MalformedRequest):
        api.StrictJSONParser().parse(Gone())


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/nothing", "/v1/donations/", "/v1/%00", "/v1/\xff", "/v1//", "/v1/é"],
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_an_unknown_url_of_the_api_is_a_problem(db, path, method):
    client = Client(enforce_csrf_checks=True)

    response = getattr(client, method)(path)

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


def test_what_only_starts_like_the_api_is_a_page(client, db):
    assert client.get("/v1x")["Content-Type"].startswith("text/html")


def test_a_method_that_is_not_there_is_told_with_those_that_are(client, db):
    response = client.delete(URL)

    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
    assert "GET" in response["Allow"]


def test_what_the_caller_cannot_take_is_not_sent(client, db):
    response = client.get(URL, headers={"Accept": "text/csv"})

    assert response.status_code == 406
    assert response["Content-Type"] == "application/problem+json"


def test_too_many_parameters_are_a_problem(client, db):
    response = client.get(URL + "?" + "a&" * 2000)

    assert response.status_code == 400
    assert response.json()["code"] == "malformed_request"


def test_a_foreign_host_is_a_problem(client, db):
    response = client.get(URL, headers={"Host": "evil.example"})

    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")


def fail(request) -> HttpResponse:
    """Have a bug."""
    raise ZeroDivisionError("secret")


@pytest.fixture
def buggy(monkeypatch):
    """Add views with a bug."""
    views = [path("v1/bug", fail), path("bug", fail)]
    monkeypatch.setattr(urls, "urlpatterns", views + urls.urlpatterns)
    clear_url_caches()
    yield
    clear_url_caches()


@pytest.mark.usefixtures("buggy", "db")
def test_a_bug_tells_nothing_about_itself():
    client = Client(raise_request_exception=False)

    of_api, page = client.get("/v1/bug"), client.get("/bug")

    assert of_api.status_code == page.status_code == 500
    assert of_api.json()["code"] == "server_error"
    assert b"secret" not in of_api.content + page.content
    assert page["Content-Type"].startswith("text/html")


def test_a_bad_request_for_a_page_is_answered_by_a_page():
    response = api.bad_request(RequestFactory().get("/o/lantern"), ValueError())

    assert response.status_code == 400
    assert not response["Content-Type"].startswith("application")
