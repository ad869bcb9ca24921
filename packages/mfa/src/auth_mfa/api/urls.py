"""Addresses under ``/api/v1/``."""

from django.urls import path

from auth_mfa.api import views

urlpatterns = [
    path("mfa/factors/", views.FactorListView.as_view(), name="mfa-factors"),
    path("mfa/factors/<uuid:factor_id>/", views.FactorView.as_view(), name="mfa-factor"),
    path("mfa/totp/", views.TotpView.as_view(), name="mfa-totp"),
    path("mfa/totp/<uuid:factor_id>/confirm/", views.TotpConfirmView.as_view(), name="mfa-totp-confirm"),
]
