"""Gifts, for the programs of organisations."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import check_length
from common.fields import VISIBLE_ASCII
from common.paging import KeysetPages
from donations.api.serializers import (
    AskRefund,
    DonationSerializer,
    PromiseDonation,
    RefundSerializer,
)
from donations.errors import RefundRefused
from donations.models import Donation, DonationQuerySet, RefundRequest, RefundRequestQuerySet
from donations.services.promises import promise_donation
from donations.services.refunding import request_refund
from donations.services.refunds import Wish
from organisations.api.scoping import OrganisationScoped
from organisations.models import ApiKey

IDEMPOTENCY_KEY = "Idempotency-Key"
IDEMPOTENCY_KEY_LENGTH_MAX = 255


class DonationList(OrganisationScoped, generics.ListAPIView[Donation]):
    """GET lists the organisation's gifts, newest first; POST promises one."""

    scope = ApiKey.Scope.DONATIONS
    serializer_class = DonationSerializer
    pagination_class = KeysetPages

    def get_queryset(self) -> DonationQuerySet:
        """Return the organisation's gifts."""
        return Donation.objects.of(self.organisation).select_related("recurring")

    @extend_schema(
        request=PromiseDonation,
        responses={200: DonationSerializer, 201: DonationSerializer},
        parameters=[
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                location=OpenApiParameter.HEADER,
                description="The same key and body again answer 200 with the same gift.",
            )
        ],
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Promise a gift and open its payment."""
        check_length(request)
        gift = PromiseDonation(data=request.data)
        gift.is_valid(raise_exception=True)
        promised = promise_donation(
            organisation=self.organisation,
            idempotency_key=idempotency_key_of(request),
            **gift.validated_data,
        )
        context = {"client_secret": promised.client_secret}
        return Response(
            DonationSerializer(promised.donation, context=context).data,
            status.HTTP_201_CREATED if promised.is_new else status.HTTP_200_OK,
            headers={"Cache-Control": "no-store"},
        )


class DonationDetail(OrganisationScoped, generics.RetrieveAPIView[Donation]):
    """GET shows one of the organisation's gifts."""

    scope = ApiKey.Scope.DONATIONS
    serializer_class = DonationSerializer
    lookup_url_kwarg = "donation"

    def get_queryset(self) -> DonationQuerySet:
        """Return the organisation's gifts."""
        return Donation.objects.of(self.organisation).select_related("recurring")


class RefundList(OrganisationScoped, generics.ListAPIView[RefundRequest]):
    """GET lists the refunds that were asked for of one gift, newest first; POST asks for one."""

    scope = ApiKey.Scope.REFUNDS
    serializer_class = RefundSerializer
    pagination_class = KeysetPages

    @cached_property
    def donation(self) -> Donation:
        """Return the organisation's gift of the URL."""
        return get_object_or_404(Donation.objects.of(self.organisation), id=self.kwargs["donation"])

    def get_queryset(self) -> RefundRequestQuerySet:
        """Return the gift's refunds."""
        return RefundRequest.objects.of_gift(self.donation).select_related("donation")

    @extend_schema(
        request=AskRefund,
        responses={200: RefundSerializer, 201: RefundSerializer},
        parameters=[
            OpenApiParameter(
                IDEMPOTENCY_KEY,
                location=OpenApiParameter.HEADER,
                required=True,
                description="The same key and body again answer with what became of the refund.",
            )
        ],
    )
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Give a gift back, or a part of it. What Stripe refuses is a 409 `refund_refused`."""
        check_length(request)
        asked = AskRefund(data=request.data)
        asked.is_valid(raise_exception=True)
        key = idempotency_key_of(request)
        if key is None:
            error = ErrorDetail("Send a key of your own for each refund.", code="required")
            raise ValidationError({IDEMPOTENCY_KEY: [error]})
        refund, is_new = request_refund(
            organisation=self.organisation,
            donation_id=self.donation.id,
            wish=Wish(key=f"api:{key}", **asked.validated_data),
        )
        if refund.status == RefundRequest.Status.REFUSED:
            raise RefundRefused(refund.refusal)
        return Response(
            RefundSerializer(refund).data,
            status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )


def idempotency_key_of(request: Request) -> str | None:
    """Return the caller's idempotency key, if there is one. Raises `ValidationError`."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return None
    if len(key) > IDEMPOTENCY_KEY_LENGTH_MAX or not VISIBLE_ASCII.match(key):
        detail = f"Send 1 to {IDEMPOTENCY_KEY_LENGTH_MAX} visible ASCII characters."
        error = ErrorDetail(detail, code="invalid_idempotency_key")
        raise ValidationError({IDEMPOTENCY_KEY: [error]})
    return key
