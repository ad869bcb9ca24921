"""The forms of the pages. They define labels and autocomplete, and leave the rules to the functions behind them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class PageForm(forms.Form):
    """A form that shows each error beside its field and to screen readers."""

    #: The field and the text for errors that name no field, by error code.
    blames: ClassVar[Mapping[str, tuple[str | None, Any]]] = {}

    #: The title and the button of the page with this form. Empty: those of the page.
    title: ClassVar[Any] = ""
    button: ClassVar[Any] = ""

    #: Whether the page offers other factors below the form. Not for a form that lets people choose.
    others_beside: ClassVar[bool] = False

    @property
    def has_field_errors(self) -> bool:
        """Whether a field has an error, not only the whole form."""
        return any(name in self.errors for name in self.fields)

    def describe(self) -> None:
        """Link every field to its help text and its error for screen readers."""
        for bound in self:
            ids = [f"{bound.id_for_label}-help"] if bound.help_text else []
            ids += [f"{bound.id_for_label}-error"] if bound.errors else []
            if ids:
                bound.field.widget.attrs["aria-describedby"] = " ".join(ids)
            if bound.errors:
                bound.field.widget.attrs["aria-invalid"] = "true"


def _email(autocomplete: str = "email", **kwargs: Any) -> forms.CharField:
    """Return a field for an email address. `auth_core.people.addresses` validates it."""
    widget = forms.EmailInput(attrs={"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"})
    return forms.CharField(**{"label": _("Email address"), "max_length": 320, "widget": widget, **kwargs})


def _password(label: "StrOrPromise", autocomplete: str, **kwargs: Any) -> forms.CharField:
    """Return a field for a password, which is not trimmed. It can be pasted and shown (ASVS 6.2.6, 6.2.7)."""
    attrs = {"autocomplete": autocomplete, "data-reveal": _("Show"), "data-hide": _("Hide")}
    widget = forms.PasswordInput(attrs=attrs)
    return forms.CharField(**{"label": label, "max_length": 1024, "strip": False, "widget": widget, **kwargs})


def _code() -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
    return forms.CharField(label=_("Code"), max_length=12, widget=forms.TextInput(attrs=attrs))


_WRONG_CODE = {"challenge_failed": ("code", _("This code is wrong or was already used."))}

_PASSWORD_HELP = _("Use at least 15 characters. A few unrelated words work well.")


class LoginForm(PageForm):
    """An identifier and a password."""

    identifier = _email("username webauthn", label=_("Email address"))
    password = _password(_("Password"), "current-password")


class PasswordAnswerForm(PageForm):
    """The password of the signed-in person."""

    title, button = _("Confirm it's you"), _("Continue")
    blames = {"challenge_failed": ("password", _("Wrong password."))}
    password = _password(_("Password"), "current-password")


class CodeForm(PageForm):
    """A one-time code."""

    others_beside = True
    blames = _WRONG_CODE
    code = _code()


class SignupForm(PageForm):
    """The email address and password of a new account."""

    email = _email("username")
    password = _password(_("Password"), "new-password", help_text=_PASSWORD_HELP)


class SignupCodeForm(PageForm):
    """The code that was mailed to *email*."""

    blames = _WRONG_CODE
    email = forms.CharField(max_length=320, widget=forms.HiddenInput)
    code = _code()


class EmptyForm(PageForm):
    """A form with only a button."""


class ChosenPasswordForm(PageForm):
    """The password chosen at sign-up in another browser."""

    blames = {"invalid_credentials": ("password", _("This is not the password you chose."))}
    password = _password(_("The password you chose"), "current-password")


class EmailForm(PageForm):
    """An email address."""

    email = _email("username")


class NewPasswordForm(PageForm):
    """A new password."""

    password = _password(_("New password"), "new-password", help_text=_PASSWORD_HELP)


class AdministratorForm(PageForm):
    """The email address and password of the first administrator."""

    email = _email("username")
    password = _password(_("Password"), "new-password", help_text=_PASSWORD_HELP)


class PasswordChangeForm(PageForm):
    """The current password and a new one."""

    blames = {"invalid_credentials": ("current_password", _("This is not your current password."))}
    current_password = _password(_("Current password"), "current-password")
    new_password = _password(_("New password"), "new-password", help_text=_PASSWORD_HELP)
