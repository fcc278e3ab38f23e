"""The inbox's URLs."""

from django.urls import path

from webhooks.api import views

urlpatterns = [path("v1/webhooks/stripe", views.stripe_webhook, name="stripe-webhook")]
