"""Addresses under ``/api/v1/``."""

from django.urls import path

from auth_mfa.api import administration_views, enrolment_views, passkey_views, views

app_name = "mfa-api"

urlpatterns = [
    path("mfa/factors/", views.FactorListView.as_view(), name="mfa-factors"),
    path("mfa/factors/<uuid:factor_id>/", views.FactorView.as_view(), name="mfa-factor"),
    path("mfa/totp/", enrolment_views.TotpView.as_view(), name="mfa-totp"),
    path("mfa/totp/<uuid:factor_id>/confirm/", enrolment_views.TotpConfirmView.as_view(), name="mfa-totp-confirm"),
    path("mfa/sms/", enrolment_views.PhoneView.as_view(), name="mfa-sms"),
    path("mfa/sms/<uuid:factor_id>/confirm/", enrolment_views.MessageConfirmView.as_view(), name="mfa-sms-confirm"),
    path("mfa/sms/<uuid:factor_id>/resend/", enrolment_views.ResendView.as_view(), name="mfa-sms-resend"),
    path("mfa/email/", enrolment_views.EmailView.as_view(), name="mfa-email"),
    path("mfa/email/<uuid:factor_id>/confirm/", enrolment_views.MessageConfirmView.as_view(), name="mfa-email-confirm"),
    path("mfa/email/<uuid:factor_id>/resend/", enrolment_views.ResendView.as_view(), name="mfa-email-resend"),
    path("mfa/recovery-codes/", enrolment_views.RecoveryCodesView.as_view(), name="mfa-recovery-codes"),
    path("mfa/passkeys/", passkey_views.PasskeyView.as_view(), name="mfa-passkeys"),
    path(
        "mfa/passkeys/<uuid:registration_id>/confirm/",
        passkey_views.PasskeyConfirmView.as_view(),
        name="mfa-passkey-confirm",
    ),
    path("mfa/passkeys/login/", passkey_views.PasskeyLoginView.as_view(), name="mfa-passkey-login"),
    path("mfa/passkeys/login/answer/", passkey_views.PasskeyAnswerView.as_view(), name="mfa-passkey-answer"),
    path("users/second-factors/", administration_views.FoundFactorsView.as_view(), name="users-second-factors"),
    path(
        "users/second-factors/<uuid:subject_id>/",
        administration_views.ResetFactorsView.as_view(),
        name="users-second-factors-of",
    ),
]
