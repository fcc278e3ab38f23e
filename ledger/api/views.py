"""The public ledger of an organisation."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.utils.functional import cached_property
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.paging import KeysetPages, bad_parameter
from ledger.api.filters import (
    DESCRIPTIONS,
    EntryFilter,
    filter_account,
    first_sequence,
    past_sequence,
)
from ledger.api.serializers import (
    BalancesSerializer,
    EntrySerializer,
    HeadSerializer,
    HeadsSerializer,
    StatementLineSerializer,
)
from ledger.export import FORMATS, Format
from ledger.log import newest_checkpoint, proof_of, state_of_heads
from ledger.models import PUBLIC, Account, Book, Entry, EntryQuerySet, LineQuerySet
from ledger.witnessing import cosigned_note
from organisations.api.scoping import OrganisationPublic


class WhateverIsAsked(DefaultContentNegotiation):
    """Leaves the choice to the URL: `Accept` changes nothing."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the only renderer, which is for refusals."""
        return renderers[0], renderers[0].media_type


class EntryPages(KeysetPages):
    """Entries, newest first."""

    ordering = "-sequence"


class EntryList(OrganisationPublic, generics.ListAPIView[Entry]):
    """GET lists the entries of the public book, newest first."""

    serializer_class = EntrySerializer
    pagination_class = EntryPages
    filter_backends = [EntryFilter]

    def get_queryset(self) -> EntryQuerySet:
        """Return the entries of the public book."""
        return Entry.objects.of(self.organisation).with_corrections()


class EntryDetail(OrganisationPublic, generics.RetrieveAPIView[Entry]):
    """GET shows one entry, with the exact line that was hashed."""

    serializer_class = EntrySerializer

    def get_object(self) -> Entry:
        """Return the entry at a place in the public book."""
        entries = Entry.objects.of(self.organisation).with_corrections()
        return get_object_or_404(entries, sequence=self.kwargs["sequence"])


class EntryProof(OrganisationPublic, APIView):
    """GET returns the receipt of an entry, which anyone verifies offline (C2SP tlog-proof)."""

    content_negotiation_class = WhateverIsAsked

    @extend_schema(responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request, *, sequence: int, **kwargs: Any) -> HttpResponseBase:
        """Return the entry's line, its path to the root and a checkpoint that witnesses signed."""
        entry = get_object_or_404(Entry.objects.of(self.organisation), sequence=sequence)
        proof = proof_of(self.organisation, entry)
        response = HttpResponse(proof, content_type="text/plain; charset=utf-8")
        filename = f"{self.organisation.slug}-{entry.sequence}.tlog-proof"
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        return only_if_changed(request, response, sha256(proof.encode()).hexdigest())


class Head(OrganisationPublic, APIView):
    """GET says where the public book ends now, and what was signed of it last."""

    @extend_schema(responses=HeadSerializer)
    def get(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Return size and hash; 304 to whoever has them."""
        book = get_object_or_404(Book, organisation=self.organisation, book=PUBLIC)
        checkpoint = newest_checkpoint(self.organisation)
        note = checkpoint and cosigned_note(checkpoint)
        head = {"size": book.size, "head_hash": book.head_hash, "checkpoint": note}
        version = f"{book.head_hash}.{sha256((note or '').encode()).hexdigest()}"
        return only_if_changed(request, Response(HeadSerializer(head).data), version)


class Heads(APIView):
    """GET says where the heads log ends: one signed checkpoint that vouches for every ledger."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(responses=HeadsSerializer)
    def get(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Return its checkpoint and key; 304 to whoever has them."""
        state = state_of_heads()
        version = sha256(str(state).encode()).hexdigest()
        return only_if_changed(request, Response(HeadsSerializer(state).data), version)


class Balances(OrganisationPublic, APIView):
    """GET shows where the money is, and what it is for: now, or after an earlier entry."""

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "at_sequence", OpenApiTypes.INT, description=DESCRIPTIONS["at_sequence"]
            ),
            OpenApiParameter("at", description=DESCRIPTIONS["at"]),
        ],
        responses=BalancesSerializer,
    )
    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return both sides, read in one moment."""
        book = get_object_or_404(Book, organisation=self.organisation, book=PUBLIC)
        sequence = past_sequence(book, request.query_params.dict())
        if sequence is None:
            sides = sides_of(Account.objects.of(self.organisation).money())
        else:
            entry = Entry.objects.of(self.organisation).get(sequence=sequence)
            sides = sides_of(Account.objects.money_at(self.organisation, sequence))
            sides |= {"sequence": sequence, "at": entry.recorded_at}
        return Response(BalancesSerializer(sides).data, headers={"Cache-Control": "no-cache"})


def sides_of(accounts: Iterable[Account]) -> dict[str, Any]:
    """Return the places and the purposes."""
    sides: dict[str, Any] = {"places": [], "purposes": []}
    for account in accounts:
        sides[f"{account.kind}s"].append(account)
    return sides


class Statement(OrganisationPublic, generics.ListAPIView[Any]):
    """GET lists the entries on one place or purpose, newest first, with the balance after each."""

    serializer_class = StatementLineSerializer
    pagination_class = EntryPages

    @extend_schema(
        parameters=[
            OpenApiParameter("account", location="path", description="Such as `fund:general`."),
            OpenApiParameter("currency", description=DESCRIPTIONS["currency"]),
        ],
        responses=StatementLineSerializer(many=True),
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a page of them."""
        return super().get(request, *args, **kwargs)

    @cached_property
    def account(self) -> Account:
        """Return the account of the URL. Raises `ValidationError`."""
        currency = self.request.query_params.get("currency", self.organisation.currency)
        accounts = Account.objects.of(self.organisation).money()
        return get_object_or_404(filter_account(accounts, self.kwargs["account"], currency))

    def get_queryset(self) -> LineQuerySet[Any]:
        """Return the entries on the account."""
        return self.account.legs().with_corrections()

    def paginate_queryset(self, queryset: Any) -> Any:
        """Return a page of them, each with its change and balance."""
        return self.account.with_balances(super().paginate_queryset(queryset) or [])


class Export(OrganisationPublic, APIView):
    """GET streams the public book, all or the rest of it; as `ndjson` it is what verifiers read."""

    content_negotiation_class = WhateverIsAsked

    @extend_schema(
        parameters=[
            OpenApiParameter("format", enum=list(FORMATS), default="ndjson"),
            OpenApiParameter(
                "from_sequence",
                {"type": "integer", "minimum": 0, "default": 0},
                description=DESCRIPTIONS["from_sequence"],
            ),
        ],
        responses={
            (200, format.content_type.partition(";")[0]): OpenApiTypes.STR
            for format in FORMATS.values()
        },
    )
    def get(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        """Return the book as it is now; 304 to whoever has it."""
        format = self.chosen_format()
        book = get_object_or_404(
            Book.objects.select_related("organisation"), organisation=self.organisation, book=PUBLIC
        )
        start = first_sequence(book, request.query_params.dict())
        written = format.write(book, start)
        response = StreamingHttpResponse(written, content_type=format.content_type)
        filename = f"{self.organisation.slug}-{PUBLIC}.{format.suffix}"
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
        return only_if_changed(request, response, f"{book.head_hash}.{start}.{format.suffix}")

    def chosen_format(self) -> Format:
        """Return the format that is asked for. Raises `ValidationError`."""
        name = self.request.query_params.get("format", "ndjson")
        if name not in FORMATS:
            raise bad_parameter("format", "unknown_format", f"Choose one of {', '.join(FORMATS)}.")
        return FORMATS[name]


def only_if_changed(
    request: Request, response: HttpResponse | StreamingHttpResponse, version: str
) -> HttpResponseBase:
    """Mark a response with its version, and return 304 instead to whoever has this version."""
    response.headers["ETag"] = f'"{version}"'
    response.headers["Cache-Control"] = "no-cache"
    shown: Any = response  # the stubs know of no streams here
    return get_conditional_response(request, etag=response.headers["ETag"], response=shown) or shown
