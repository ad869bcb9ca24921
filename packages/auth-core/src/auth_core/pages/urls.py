"""URL patterns of the pages. Include them at the root of the site."""

from django.urls import path

from auth_core.pages import account_views, link_views, login_views, step_up_views

app_name = "core-pages"

_LINKS = (
    ("signup/confirm/", "signup-confirm", link_views.SignupConfirmPage),
    ("email/verify/", "email-verify", link_views.EmailVerifyPage),
    ("password/reset/", "password-reset", link_views.PasswordResetPage),
    ("invite/", "invitation", link_views.InvitationPage),
    ("setup/", "setup", link_views.SetupPage),
)

urlpatterns = [
    path("login/", login_views.LoginPage.as_view(), name="login"),
    path("login/answer/", login_views.AnswerPage.as_view(), name="answer"),
    path("login/choose/", login_views.ChoosePage.as_view(), name="choose"),
    path("login/again/", step_up_views.AgainPage.as_view(), name="again"),
    path("logout/", login_views.LogoutPage.as_view(), name="logout"),
    path("logged-out/", login_views.LoggedOutPage.as_view(), name="logged-out"),
    path("signup/", account_views.SignupPage.as_view(), name="signup"),
    path("signup/code/", account_views.SignupCodePage.as_view(), name="signup-code"),
    path("email/resend/", account_views.EmailResendPage.as_view(), name="email-resend"),
    path("password/forgot/", account_views.PasswordForgotPage.as_view(), name="password-forgot"),
    path("account/", account_views.ProfilePage.as_view(), name="account"),
    path("account/password/", account_views.PasswordChangePage.as_view(), name="account-password"),
    *(path(address, page.as_view(), name=name) for address, name, page in _LINKS),
    *(path(f"{address}<str:token>/", page.as_view(), name=f"{name}-link") for address, name, page in _LINKS),
]
