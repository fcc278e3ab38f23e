"""The inbox's URLs."""

from django.urls import path

from webhooks.api import views

urlpatterns = [path("v1/webhooks/stripe", views.StripeWebhook.as_view(), name="stripe-webhook")]
