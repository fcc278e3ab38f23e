"""The public organisations."""

from rest_framework import generics
from rest_framework.permissions import AllowAny

from common.paging import KeysetPages
from organisations.api.scoping import OrganisationPublic
from organisations.api.serializers import OrganisationSerializer
from organisations.models import Organisation


class OrganisationPages(KeysetPages):
    """Organisations in the order of their slugs."""

    ordering = "slug"


class OrganisationList(generics.ListAPIView[Organisation]):
    """GET lists the organisations that staff approved."""

    authentication_classes = []
    permission_classes = [AllowAny]
    serializer_class = OrganisationSerializer
    pagination_class = OrganisationPages
    queryset = Organisation.objects.public()


class OrganisationDetail(OrganisationPublic, generics.RetrieveAPIView[Organisation]):
    """GET shows one approved organisation, named by its id or slug."""

    serializer_class = OrganisationSerializer

    def get_object(self) -> Organisation:
        """Return the organisation of the URL."""
        return self.organisation
