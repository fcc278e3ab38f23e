"""The pages about organisations and their money."""

from django.urls import path

from treasury import views

urlpatterns = [
    path("", views.home, name="home"),
    path("organisations", views.organisation_list, name="organisation-list"),
    path("o/<slug:slug>", views.organisation_detail, name="organisation-detail"),
]
