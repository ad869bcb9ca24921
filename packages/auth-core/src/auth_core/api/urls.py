"""Addresses under ``/api/v1/``."""

from django.urls import path

from auth_core.api import views

urlpatterns = [
    path("csrf/", views.CsrfView.as_view(), name="csrf"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("login/answer/", views.LoginAnswerView.as_view(), name="login-answer"),
    path("login/challenge/", views.LoginChallengeView.as_view(), name="login-challenge"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("me/", views.MeView.as_view(), name="me"),
]
