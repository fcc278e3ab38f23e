"""Where an organisation's programs are told what happens, as those programs set it up."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from common.api import check_length
from common.paging import KeysetPages
from organisations.api.scoping import OrganisationScoped
from organisations.models import ApiKey
from webhooks.api.serializers import AddEndpoint, EndpointSerializer
from webhooks.models import Endpoint, EndpointQuerySet
from webhooks.services.subscribing import add_endpoint, delete_endpoint


class EndpointScoped(OrganisationScoped):
    """A view of an organisation's endpoints, for its keys."""

    scope = ApiKey.Scope.WEBHOOKS

    def get_queryset(self) -> EndpointQuerySet:
        """Return the organisation's endpoints."""
        return Endpoint.objects.of(self.organisation)


class EndpointList(EndpointScoped, generics.ListAPIView[Endpoint]):
    """GET lists the organisation's endpoints, newest first; POST adds one."""

    serializer_class = EndpointSerializer
    pagination_class = KeysetPages

    @extend_schema(request=AddEndpoint, responses={201: EndpointSerializer})
    def post(self, request: Request, **kwargs: Any) -> Response:
        """Add an endpoint; this answer alone has its secret."""
        check_length(request)
        wanted = AddEndpoint(data=request.data)
        wanted.is_valid(raise_exception=True)
        added = add_endpoint(organisation=self.organisation, **wanted.validated_data)
        shown = EndpointSerializer(added.endpoint, context={"secret": added.secret})
        return Response(shown.data, status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class EndpointDetail(EndpointScoped, generics.RetrieveAPIView[Endpoint]):
    """GET shows one endpoint; DELETE ends it for good."""

    serializer_class = EndpointSerializer
    lookup_url_kwarg = "endpoint"

    @extend_schema(responses={204: None})
    def delete(self, request: Request, **kwargs: Any) -> Response:
        """Send nothing more to it, also not what waits."""
        delete_endpoint(endpoint=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)
