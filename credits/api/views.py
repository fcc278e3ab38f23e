"""Credits, for the programs of an organisation's applications."""

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api import MalformedRequest, check_length
from common.paging import KeysetPages
from credits.api.serializers import (
    AskOwner,
    OwnerBalanceSerializer,
    OwnerEntrySerializer,
    PostedSerializer,
    PostOperation,
)
from credits.models import Owner
from credits.services import application_named, post_operation
from ledger.api.filters import DESCRIPTIONS, past_sequence
from ledger.errors import NotYetThere
from ledger.models import Book, Entry
from ledger.operations import Application
from organisations.api.scoping import OrganisationScoped
from organisations.models import ApiKey

AT = [
    OpenApiParameter("at_sequence", int, description=DESCRIPTIONS["at_sequence"]),
    OpenApiParameter("at", description=DESCRIPTIONS["at"]),
]
WHEN = ("at", "at_sequence")
UNREADABLE = re.compile("%[89A-F][0-9A-F]")


class ApplicationScoped(OrganisationScoped):
    """A view of what one application of an organisation has, for the keys of both."""

    scope = ApiKey.Scope.LEDGER

    @cached_property
    def application(self) -> Application:
        """Return the application whose key calls. Raises `UnknownApplication`."""
        key = self.request.auth
        assert isinstance(key, ApiKey)
        return application_named(key.application)

    @cached_property
    def owner(self) -> Owner:
        """Return whom the URL names. Raises `ValidationError`, `MalformedRequest`."""
        check_encoding(self.request, self.kwargs.get("owner_id", ""))
        question = AskOwner(data={**self.request.query_params.dict(), **self.kwargs})
        question.is_valid(raise_exception=True)
        owner_id = question.validated_data["owner_id"]
        return Owner(self.organisation, self.application.book, owner_id)

    @cached_property
    def sequence(self) -> int | None:
        """Return the entry after which is asked, if not now. Raises as `past_sequence`."""
        asked = {
            name: self.request.query_params[name]
            for name in WHEN
            if name in self.request.query_params
        }
        books = Book.objects.filter(organisation=self.organisation, book=self.application.book)
        book = books.first() if asked else None
        if asked and book is None:
            raise NotYetThere
        return past_sequence(book, asked) if book else None

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Let nobody keep what belongs to one owner."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store"
        return response


class Operations(ApplicationScoped, APIView):
    """POST gives or takes credits; GET shows the balance of the owner in the query."""

    @extend_schema(request=PostOperation, responses={200: PostedSerializer, 201: PostedSerializer})
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Write an operation once: the same again answers 200 with the same body."""
        check_length(request)
        operation = PostOperation(data=request.data)
        operation.is_valid(raise_exception=True)
        posted = post_operation(
            organisation=self.organisation,
            application=self.application,
            **operation.validated_data,
        )
        return Response(
            PostedSerializer(posted).data,
            status.HTTP_201_CREATED if posted.is_new else status.HTTP_200_OK,
        )

    @extend_schema(
        operation_id="owner_balance_by_query",
        parameters=[AskOwner, *AT],
        responses=OwnerBalanceSerializer,
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show a balance; this reaches every owner, whatever stands in the id."""
        return show_balance(self.owner, self.sequence)


class OwnerBalance(ApplicationScoped, APIView):
    """GET shows what an owner has; who never had anything has 0."""

    @extend_schema(operation_id="owner_balance", parameters=AT, responses=OwnerBalanceSerializer)
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Show the balance of now, or after an entry."""
        return show_balance(self.owner, self.sequence)


class HistoryPages(KeysetPages):
    """What happened, newest first."""

    ordering = "-sequence"


@extend_schema_view(get=extend_schema(operation_id="owner_entries", parameters=AT))
class OwnerEntries(ApplicationScoped, generics.ListAPIView[Entry]):
    """GET lists what happened to an owner's credits, newest first, with the balance after each."""

    serializer_class = OwnerEntrySerializer
    pagination_class = HistoryPages

    def get_queryset(self) -> Any:
        """Return the owner's entries."""
        legs = self.owner.legs()
        return legs if self.sequence is None else legs.filter(sequence__lte=self.sequence)

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return a page of them, each with its balance."""
        return self.owner.with_balances(super().paginate_queryset(queryset) or [])


@extend_schema_view(
    get=extend_schema(operation_id="owner_entries_by_query", parameters=[AskOwner, *AT])
)
class OwnerEntriesByQuery(OwnerEntries):
    """GET lists the same; this reaches every owner, whatever stands in the id."""


def show_balance(owner: Owner, sequence: int | None) -> Response:
    """Return the answer that says what an owner has, or had."""
    shown = {"id": owner.id, "balance": owner.balance(sequence=sequence)}
    return Response(OwnerBalanceSerializer(shown).data)


def check_encoding(request: Request, owner_id: str) -> None:
    """
    Raise `MalformedRequest` for a URL that is not UTF-8: it would be read as another owner.

    What cannot be read in a path stands there percent-encoded, like an id that looks so.
    """
    try:
        unquote_to_bytes(request.META["QUERY_STRING"]).decode()
    except UnicodeDecodeError as error:
        raise MalformedRequest("The URL is not UTF-8.") from error
    if UNREADABLE.search(owner_id):
        raise MalformedRequest("The URL is not UTF-8, or the id looks so: ask with ?owner_id=.")
