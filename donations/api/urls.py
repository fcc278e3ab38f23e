"""URLs of the API, below /v1/."""

from django.urls import path

from donations.api import views

urlpatterns = [
    path("donations", views.DonationList.as_view(), name="api-donation-list"),
    path("donations/<slug:donation>", views.DonationDetail.as_view(), name="api-donation"),
    path(
        "donations/<slug:donation>/refunds", views.RefundList.as_view(), name="api-donation-refunds"
    ),
]
