"""URLs of the API, below /v1/."""

from django.urls import path

from organisations.api import views

urlpatterns = [
    path("public/organisations", views.OrganisationList.as_view(), name="api-organisation-list"),
    path(
        "public/organisations/<slug:organisation>",
        views.OrganisationDetail.as_view(),
        name="api-organisation",
    ),
]
