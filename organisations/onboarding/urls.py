"""Applying, and the Stripe account."""

from django.urls import path

from organisations.onboarding import start_views, stripe_views, views

HERE = "dashboard/<slug:slug>/application"
STRIPE = "dashboard/<slug:slug>/stripe"

urlpatterns = [
    path("apply", start_views.apply, name="apply"),
    path("apply/begin", start_views.begin, name="apply-begin"),
    path(HERE, views.application, name="application"),
    path(f"{HERE}/documents", views.add_document, name="application-document-add"),
    path(f"{HERE}/documents/<slug:document_id>", views.document, name="application-document"),
    path(
        f"{HERE}/documents/<slug:document_id>/remove",
        views.remove_document,
        name="application-document-remove",
    ),
    path(f"{HERE}/submit", views.submit, name="application-submit"),
    path(STRIPE, stripe_views.stripe_account, name="stripe-account"),
    path(f"{STRIPE}/open", stripe_views.open_account, name="stripe-open"),
    path(f"{STRIPE}/refresh", stripe_views.refresh, name="stripe-refresh"),
    path(f"{STRIPE}/back", stripe_views.back, name="stripe-back"),
    path(f"{STRIPE}/connect", stripe_views.connect, name="stripe-connect"),
    path("connect/stripe/return", stripe_views.connected, name="stripe-return"),
]
