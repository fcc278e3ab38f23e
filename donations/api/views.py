"""Gifts, for the programs of organisations."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import check_length
from common.fields import VISIBLE_ASCII
from common.paging import KeysetPages
from donations.api.serializers import DonationSerializer, PromiseDonation
from donations.models import Donation, DonationQuerySet
from donations.services.promises import promise_donation
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
