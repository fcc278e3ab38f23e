"""URLs of the inbox, and of the endpoints that an organisation's programs add."""

from django.urls import path

from webhooks.api import endpoints, views

urlpatterns = [
    path("v1/webhooks/stripe", views.stripe_webhook, name="stripe-webhook"),
    path(
        "v1/webhook-endpoints", endpoints.EndpointList.as_view(), name="api-webhook-endpoint-list"
    ),
    path(
        "v1/webhook-endpoints/<slug:endpoint>",
        endpoints.EndpointDetail.as_view(),
        name="api-webhook-endpoint",
    ),
]
