"""The plumbing of the API: how a body is read, and how every refusal is told (RFC 9457)."""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import IO, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.settings import api_settings

from common.errors import DomainError
from common.strict_json import JsonMalformed, parse

BODY_BYTES_MAX = 1_048_576
NAME_LENGTH_MAX = 100
PROBLEM = "application/problem+json"
API_PREFIX = "/v1"
RETRY_AFTER_SECONDS = 5


class MalformedRequest(DomainError):
    """The body cannot be read."""

    code = "malformed_request"
    status = 400


class BodyTooLarge(DomainError):
    """The body is larger than 1 MiB."""

    code = "body_too_large"
    status = 413


class LengthRequired(DomainError):
    """Send the body in one piece, with its Content-Length."""

    code = "length_required"
    status = 411


class StrictJSONParser(BaseParser):
    """Reads bodies of `application/json` that have one meaning only."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the body's value. Raises `MalformedRequest`, `BodyTooLarge`."""
        try:
            body = stream.read(BODY_BYTES_MAX + 1)
        except OSError as error:
            raise MalformedRequest("The body ended before its announced length.") from error
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge
        try:
            return parse(body)
        except JsonMalformed as error:
            raise MalformedRequest(f"The body cannot be read: {error}.") from error


def check_length(request: Request) -> None:
    """Raise `LengthRequired` for a chunked body, which Django would take for an empty one."""
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired


def problem(status: int, code: str, detail: str, **more: Any) -> JsonResponse:
    """Return an RFC 9457 problem; `code` is stable, `detail` is for people."""
    title = HTTPStatus(status).phrase
    fields = {"type": "about:blank", "title": title, "status": status, "code": code}
    return JsonResponse({**fields, "detail": detail, **more}, status=status, content_type=PROBLEM)


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """Return the problem that an error means to a caller; None for what only a bug can cause."""
    if isinstance(error, DomainError):
        return _domain_problem(error)
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.get_full_details()))
        return problem(error.status_code, "invalid", _summary(errors), errors=errors)
    if isinstance(error, Http404):
        error = exceptions.NotFound("There is no such thing here.")
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _api_problem(error)
    return None


def _domain_problem(error: DomainError) -> JsonResponse:
    response = problem(error.status, error.code, str(error))
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _api_problem(error: exceptions.APIException) -> JsonResponse:
    response = problem(error.status_code, str(error.get_codes()), str(error.detail))
    if challenge := getattr(error, "auth_header", None):
        response.headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        response.headers["Retry-After"] = str(int(wait))
    return response


def _flatten(details: Any, field: str = "") -> Iterator[dict[str, str]]:
    if isinstance(details, list):
        for item in details:
            yield from _flatten(item, field)
    elif isinstance(details.get("message"), str):
        yield {"field": field, "code": details["code"], "detail": details["message"]}
    else:
        for name, item in details.items():
            is_whole = name == api_settings.NON_FIELD_ERRORS_KEY
            path = [field, "" if is_whole else str(name)[:NAME_LENGTH_MAX]]
            yield from _flatten(item, ".".join(filter(None, path)))


def _summary(errors: list[dict[str, str]]) -> str:
    first = errors[0]
    return f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]


# What Django answers where no API view does: problems below /v1, pages elsewhere.


def is_api(request: HttpRequest) -> bool:
    """Tell whether a program asks, by the URL."""
    return request.path == API_PREFIX or request.path.startswith(f"{API_PREFIX}/")


@csrf_exempt
def unknown_url(request: HttpRequest) -> HttpResponse:
    """Answer for URLs of the API that do not exist."""
    return problem(404, "not_found", "There is no such URL; /v1/docs lists those that are.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses before any view reads it."""
    page: Callable[..., HttpResponse] = defaults.bad_request
    if not is_api(request):
        return page(request, exception)
    return problem(400, "malformed_request", "The request cannot be read.")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a bug, and tell nothing about it."""
    if not is_api(request):
        return defaults.server_error(request)
    return problem(500, "server_error", "Something went wrong here; it was logged.")
