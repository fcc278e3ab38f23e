"""The members' pages about messages to their own programs."""

from django.urls import path

from webhooks import views

WEBHOOKS = "dashboard/<slug:slug>/webhooks"
ONE = f"{WEBHOOKS}/<slug:endpoint>"

urlpatterns = [
    path(WEBHOOKS, views.endpoints, name="webhook-endpoints"),
    path(ONE, views.endpoint, name="webhook-endpoint"),
    path(f"{ONE}/secret", views.rotate, name="webhook-secret"),
    path(f"{ONE}/test", views.test, name="webhook-test"),
    path(f"{ONE}/disable", views.disable, name="webhook-disable"),
    path(f"{ONE}/enable", views.enable, name="webhook-enable"),
    path(f"{ONE}/delete", views.delete, name="webhook-delete"),
    path(f"{ONE}/deliveries/<slug:delivery>/resend", views.resend, name="webhook-delivery-resend"),
]
