"""Where Stripe delivers its events."""

from collections.abc import Iterable

from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.api import BODY_BYTES_MAX, BodyTooLarge
from webhooks.services.inbox import note_refusal, receive


class OneAnswer(BaseContentNegotiation):
    """Answers JSON whatever the sender accepts: no event is refused for that."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)


class StripeWebhook(APIView):
    """POST takes in one event of Stripe: verified over the raw bytes, stored, answered."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = ()
    content_negotiation_class = OneAnswer

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """Answer 200 for an event that is stored, now or before."""
        size = int(request.META.get("CONTENT_LENGTH") or 0)
        if size > BODY_BYTES_MAX:
            error = BodyTooLarge()
            note_refusal(error, size=size)
            raise error
        is_new = receive(
            body=request.body,
            signature=request.headers.get("Stripe-Signature"),
            address=request.META["REMOTE_ADDR"],
        )
        return Response({"received": True, "new": is_new})
