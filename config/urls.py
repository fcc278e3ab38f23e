"""Every mount point."""

from django.contrib import admin
from django.urls import include, path, re_path

from common.api import unknown_url
from config import api_docs, health

urlpatterns = [
    # First, since nothing is asked for so often.
    path("", include("webhooks.api.urls")),
    path("", include("treasury.urls")),
    path("", include("donations.urls")),
    path("", include("ledger.urls")),
    path("", include("organisations.urls")),
    path("", include("organisations.onboarding.urls")),
    path("", include("credits.urls")),
    path("", include("webhooks.urls")),
    path("v1/", include("organisations.api.urls")),
    path("v1/", include("ledger.api.urls")),
    path("v1/", include("donations.api.urls")),
    path("v1/", include("credits.api.urls")),
    path("v1/schema", api_docs.Schema.as_view(), name="api-schema"),
    path("v1/docs", api_docs.Docs.as_view(), name="api-docs"),
    path("v1/redoc", api_docs.Redoc.as_view(), name="api-redoc"),
    re_path(r"^v1(?:/|$)", unknown_url, name="api-unknown"),
    path("health", health.health, name="health"),
    path("ready", health.ready, name="ready"),
    path("admin/", admin.site.urls),
]

handler400 = "common.api.bad_request"
handler500 = "common.api.server_error"
