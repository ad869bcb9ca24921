"""URLs of the pages, to be included at ``account/second-factors/``."""

from django.urls import path

from auth_mfa.pages import factor_views, message_views, partial_login_views, passkey_views, recovery_views, totp_views

app_name = "mfa-pages"

urlpatterns = [
    path("", factor_views.FactorsPage.as_view(), name="factors"),
    path("prove/", partial_login_views.ProvePage.as_view(), name="prove"),
    path("add/", totp_views.AddPage.as_view(), name="add"),
    path("<uuid:factor_id>/confirm/", totp_views.ConfirmPage.as_view(), name="confirm"),
    path("phone/add/", message_views.AddPhonePage.as_view(), name="phone-add"),
    path("email/add/", message_views.AddMailboxPage.as_view(), name="email-add"),
    path("<uuid:factor_id>/code/", message_views.CodePage.as_view(), name="code"),
    path("recovery-codes/", recovery_views.RecoveryCodesPage.as_view(), name="recovery-codes"),
    path("<uuid:factor_id>/name/", factor_views.RenamePage.as_view(), name="name"),
    path("<uuid:factor_id>/remove/", factor_views.RemovePage.as_view(), name="remove"),
    path("passkeys/add/", passkey_views.AddPasskeyPage.as_view(), name="passkey-add"),
    path("passkeys/login/", passkey_views.PasskeyLoginPage.as_view(), name="passkey-login"),
    path("passkeys/login/options/", passkey_views.PasskeyOptionsPage.as_view(), name="passkey-options"),
]
