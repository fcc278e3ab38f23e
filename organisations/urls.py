"""Signing in, signing out, and a member's organisations."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from organisations import views

urlpatterns = [
    path("sign-in", views.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("dashboard", views.dashboard, name="dashboard"),
]
