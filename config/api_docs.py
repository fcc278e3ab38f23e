"""The API's description, and two ways to read it in a browser."""

from typing import Any

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import (
    SpectacularAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)

# Both readers write their styles as they run, and draw with pictures inside of them.
STYLES = {"style-src": [UNSAFE_INLINE], "img-src": ["data:"]}
# Redoc searches in a worker that it makes of its own text.
WORKER = {"worker-src": ["blob:"]}


class Schema(SpectacularAPIView):
    """GET describes the API in OpenAPI 3.1."""

    authentication_classes: Any = []
    permission_classes: Any = []


@method_decorator(csp_update(STYLES), name="dispatch")
class Docs(SpectacularSwaggerSplitView):
    """GET shows the API in Swagger UI."""

    authentication_classes: Any = []
    permission_classes: Any = []
    url_name = "api-schema"


@method_decorator(csp_update(STYLES | WORKER), name="dispatch")
class Redoc(SpectacularRedocView):
    """GET shows the API in Redoc."""

    authentication_classes: Any = []
    permission_classes: Any = []
    url_name = "api-schema"
