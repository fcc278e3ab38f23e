"""Endpoints: as a program adds one, and as the API shows them."""

from rest_framework import serializers

from common.addresses import URL_LENGTH_MAX
from common.fields import StrictSerializer, Text
from webhooks.models import DESCRIPTION_LENGTH_MAX, Endpoint, Topic


class AddEndpoint(StrictSerializer):
    """The body of `POST /v1/webhook-endpoints`."""

    url = serializers.CharField(
        max_length=URL_LENGTH_MAX, trim_whitespace=False, help_text="https, and a public host."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Topic.choices), allow_empty=False, max_length=50
    )
    description = Text(required=False, allow_blank=True, max_length=DESCRIPTION_LENGTH_MAX)


class EndpointSerializer(serializers.ModelSerializer[Endpoint]):
    """An endpoint; its secret is there in the answer that made it, and never again."""

    events = serializers.ListField(child=serializers.CharField(), read_only=True)
    is_active = serializers.BooleanField(read_only=True)
    secret = serializers.SerializerMethodField()

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "url",
            "events",
            "description",
            "is_active",
            "failing_since",
            "disabled_at",
            "disabled_reason",
            "created_at",
            "secret",
        )
        read_only_fields = fields

    def get_secret(self, endpoint: Endpoint) -> str | None:
        """Return the secret that was made just now."""
        secret: str | None = self.context.get("secret")
        return secret
