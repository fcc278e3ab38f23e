"""Where Stripe delivers its events."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from common.api import BODY_BYTES_MAX, BodyTooLarge, problem
from common.errors import DomainError
from common.pages import client_address
from webhooks.services.inbox import note_refusal, receive


@csrf_exempt
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """
    Answer 200 to one event that is stored, now or before: verified over the raw bytes.

    It is no view of the API's framework, which would look for a user, a parser and a renderer at
    every delivery.
    """
    if request.method != "POST":
        refusal = problem(405, "method_not_allowed", f'Method "{request.method}" not allowed.')
        refusal.headers["Allow"] = "POST"
        return refusal
    try:
        is_new = _take_in(request)
    except DomainError as error:
        return problem(error.status, error.code, str(error))
    return JsonResponse({"received": True, "new": is_new})


def _take_in(request: HttpRequest) -> bool:
    size = int(request.META.get("CONTENT_LENGTH") or 0)
    if size > BODY_BYTES_MAX:
        error = BodyTooLarge()
        note_refusal(error, size=size)
        raise error
    return receive(
        body=request.body,
        signature=request.META.get("HTTP_STRIPE_SIGNATURE"),
        address=client_address(request),
    )
