"""Addresses of the pages; to be included at ``account/second-factors/``."""

from django.urls import path

from auth_mfa.pages import views

app_name = "mfa-pages"

urlpatterns = [
    path("", views.FactorsPage.as_view(), name="factors"),
    path("add/", views.AddPage.as_view(), name="add"),
    path("<uuid:factor_id>/confirm/", views.ConfirmPage.as_view(), name="confirm"),
    path("<uuid:factor_id>/remove/", views.RemovePage.as_view(), name="remove"),
]
