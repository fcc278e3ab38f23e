"""Pages of the API's lists: `{"next", "previous", "results"}`, found by key and not by number."""

import re
from typing import Any, NamedTuple

from django.core.signing import BadSignature, Signer
from django.db.models import Model
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

PAGE_SIZE = re.compile(r"[1-9][0-9]{0,3}\Z")


class Cursor(NamedTuple):
    """Where a page starts: after, or before, the row with this key."""

    is_backwards: bool
    key: int | str


def bad_parameter(name: str, code: str, detail: str) -> ValidationError:
    """Return the error of one ill-formed query parameter."""
    return ValidationError({name: [ErrorDetail(detail, code=code)]})


class KeysetPages(BasePagination):
    """
    Pages along one unique column, each as fast as the first.

    Cursors are signed and belong to one list, so that only those we gave out are followed.
    """

    ordering = "-id"
    page_size = 50
    page_size_max = 200
    cursor_parameter = "cursor"
    size_parameter = "page_size"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return one page of rows. Raises `ValidationError` for parameters that are not ours."""
        self.request = request
        size, cursor = self._size(), self._cursor()
        is_backwards = cursor is not None and cursor.is_backwards
        name, is_descending = self.ordering.lstrip("-"), self.ordering.startswith("-")
        is_descending = is_descending != is_backwards
        if cursor is not None:
            comparison = "lt" if is_descending else "gt"
            queryset = queryset.filter(**{f"{name}__{comparison}": cursor.key})
        rows = list(queryset.order_by(f"-{name}" if is_descending else name)[: size + 1])
        has_more, rows = len(rows) > size, rows[:size]
        if is_backwards:
            rows.reverse()
        self.next_url = self._url(False, rows, -1) if is_backwards or has_more else None
        has_previous = has_more if is_backwards else cursor is not None
        self.previous_url = self._url(True, rows, 0) if has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page and the ways on."""
        return Response({"next": self.next_url, "previous": self.previous_url, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page."""
        url = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": url, "previous": url, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Describe the parameters."""
        size = {"type": "integer", "minimum": 1, "maximum": self.page_size_max}
        return [
            {
                "name": self.cursor_parameter,
                "in": "query",
                "description": "Follow `next` and `previous`; a cursor says nothing by itself.",
                "schema": {"type": "string"},
            },
            {
                "name": self.size_parameter,
                "in": "query",
                "description": "How many rows a page has.",
                "schema": {**size, "default": self.page_size},
            },
        ]

    @property
    def _signer(self) -> Signer:
        return Signer(salt=f"cursor:{self.request.path}:{self.ordering}")

    def _size(self) -> int:
        text = self.request.query_params.get(self.size_parameter, str(self.page_size))
        if not PAGE_SIZE.match(text) or int(text) > self.page_size_max:
            detail = f"Write a whole number from 1 to {self.page_size_max}."
            raise bad_parameter(self.size_parameter, "invalid_page_size", detail)
        return int(text)

    def _cursor(self) -> Cursor | None:
        text = self.request.query_params.get(self.cursor_parameter)
        if text is None:
            return None
        try:
            return Cursor(*self._signer.unsign_object(text))
        except BadSignature as error:
            detail = "This cursor is not from this list; begin without one."
            raise bad_parameter(self.cursor_parameter, "invalid_cursor", detail) from error

    def _url(self, is_backwards: bool, rows: list[Model], index: int) -> str | None:
        if not rows:
            return None
        key = getattr(rows[index], self.ordering.lstrip("-"))
        cursor = self._signer.sign_object(Cursor(is_backwards, key))
        return replace_query_param(self.request.build_absolute_uri(), self.cursor_parameter, cursor)
