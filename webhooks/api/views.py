"""Where Stripe delivers its events."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webhooks.errors import BodyTooLarge
from webhooks.services.inbox import receive


class StripeWebhook(APIView):
    """POST takes in one event of Stripe: verified over the raw bytes, stored, answered."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = ()

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """Answer 200 for an event that is stored, now or before."""
        if int(request.META.get("CONTENT_LENGTH") or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        is_new = receive(
            body=request.body,
            signature=request.headers.get("Stripe-Signature"),
            address=request.META["REMOTE_ADDR"],
        )
        return Response({"received": True, "new": is_new})
