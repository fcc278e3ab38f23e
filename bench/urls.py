"""The product's URLs, and the empty view that its inbox is measured against."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config import urls


class EmptyView(APIView):
    """POST answers 200 and does nothing: what the same server and framework cost alone."""

    authentication_classes = ()
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """Answer as the inbox does."""
        return Response({"received": True, "new": True})


urlpatterns = [path("bench/empty", EmptyView.as_view()), *urls.urlpatterns]
handler400 = urls.handler400
handler500 = urls.handler500
