"""URL patterns under ``/api/v1/``."""

from django.urls import path

from auth_core.api import password_views, signup_views, step_up_views, views

app_name = "core-api"

urlpatterns = [
    path("csrf/", views.CsrfView.as_view(), name="csrf"),
    path("login/", views.LoginView.as_view(), name="login"),
    path("login/answer/", views.LoginAnswerView.as_view(), name="login-answer"),
    path("login/challenge/", views.LoginChallengeView.as_view(), name="login-challenge"),
    path("reauthenticate/", step_up_views.ReauthenticateView.as_view(), name="reauthenticate"),
    path("logout/", views.LogoutView.as_view(), name="logout"),
    path("signup/", signup_views.SignupView.as_view(), name="signup"),
    path("email/verify/", signup_views.EmailVerifyView.as_view(), name="email-verify"),
    path("email/resend/", signup_views.EmailResendView.as_view(), name="email-resend"),
    path("password/forgot/", password_views.PasswordForgotView.as_view(), name="password-forgot"),
    path("password/reset/", password_views.PasswordResetView.as_view(), name="password-reset"),
    path("password/change/", password_views.PasswordChangeView.as_view(), name="password-change"),
    path("invitations/", signup_views.InvitationsView.as_view(), name="invitations"),
    path("invitations/accept/", signup_views.InvitationAcceptView.as_view(), name="invitation-accept"),
    path("invitations/<uuid:invitation_id>/", signup_views.InvitationView.as_view(), name="invitation"),
    path("me/", views.MeView.as_view(), name="me"),
]
