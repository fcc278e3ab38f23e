"""Organisations, as the API shows them."""

from django.conf import settings
from rest_framework import serializers

from organisations.models import Organisation


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    """What everybody may know of an organisation."""

    approved_at = serializers.DateTimeField(source="decided_at")
    page_url = serializers.SerializerMethodField()

    class Meta:
        model = Organisation
        fields = (
            "id",
            "slug",
            "name",
            "summary",
            "description",
            "registration",
            "website",
            "country",
            "currency",
            "approved_at",
            "page_url",
        )
        read_only_fields = fields

    def get_page_url(self, organisation: Organisation) -> str:
        """Return where people read about it."""
        return f"{settings.BASE_URL}/o/{organisation.slug}"
