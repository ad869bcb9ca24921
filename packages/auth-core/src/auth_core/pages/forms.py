"""The forms of pages: labels, autocomplete, and nothing that the functions behind them decide."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _


class PageForm(forms.Form):
    """A form whose fields say what is wrong with them beside themselves, and to screen readers."""

    #: Where a refusal that names no field stands, and how it is said there: its code, then field and sentence.
    blames: ClassVar[Mapping[str, tuple[str | None, Any]]] = {}

    #: What the page is called, and its button, while it asks for this answer; empty: as always.
    title: ClassVar[Any] = ""
    button: ClassVar[Any] = ""

    #: Whether other ways of answering stand below it on the page; not where the form itself lets one be chosen.
    others_beside: ClassVar[bool] = False

    @property
    def has_field_errors(self) -> bool:
        """Whether a field, and not the whole, is wrong."""
        return any(name in self.errors for name in self.fields)

    def describe(self) -> None:
        """Tie every field to its help and its error, once they are known."""
        for bound in self:
            told = [f"{bound.id_for_label}-help"] if bound.help_text else []
            told += [f"{bound.id_for_label}-error"] if bound.errors else []
            if told:
                bound.field.widget.attrs["aria-describedby"] = " ".join(told)
            if bound.errors:
                bound.field.widget.attrs["aria-invalid"] = "true"


def _email(autocomplete: str = "email", **kwargs: Any) -> forms.CharField:
    """Return a field for an address; what is one, `auth_core.people.addresses` says."""
    widget = forms.EmailInput(attrs={"autocomplete": autocomplete, "autocapitalize": "none", "spellcheck": "false"})
    return forms.CharField(**{"label": _("Email address"), "max_length": 320, "widget": widget, **kwargs})


def _password(label: Any, autocomplete: str, **kwargs: Any) -> forms.CharField:
    """Return a field for a password, exactly as it is typed; it may be pasted and shown (ASVS 6.2.6, 6.2.7)."""
    attrs = {"autocomplete": autocomplete, "data-reveal": _("Show"), "data-hide": _("Hide")}
    widget = forms.PasswordInput(attrs=attrs)
    return forms.CharField(**{"label": label, "max_length": 1024, "strip": False, "widget": widget, **kwargs})


def _code() -> forms.CharField:
    attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}
    return forms.CharField(label=_("Code"), max_length=12, widget=forms.TextInput(attrs=attrs))


_WRONG_CODE = {"challenge_failed": ("code", _("This code is not right, or it was used already."))}

_CHOOSING = _("At least 15 characters; a few words that only you put together are good.")


class LoginForm(PageForm):
    """Who, and the password."""

    identifier = _email("username webauthn", label=_("Email address"))
    password = _password(_("Password"), "current-password")


class PasswordAnswerForm(PageForm):
    """The password, once more; of whoever is signed in."""

    title, button = _("Prove that it is you"), _("Go on")
    blames = {"challenge_failed": ("password", _("This is not your password."))}
    password = _password(_("Password"), "current-password")


class CodeForm(PageForm):
    """A code."""

    others_beside = True
    blames = _WRONG_CODE
    code = _code()


class SignupForm(PageForm):
    """Address and password of an account that is to be."""

    email = _email("username")
    password = _password(_("Password"), "new-password", help_text=_CHOOSING)


class SignupCodeForm(PageForm):
    """The code that was mailed to the address just given."""

    blames = _WRONG_CODE
    email = forms.CharField(max_length=320, widget=forms.HiddenInput)
    code = _code()


class EmptyForm(PageForm):
    """A button."""


class ChosenPasswordForm(PageForm):
    """The password that was chosen at sign-up, in another browser."""

    blames = {"invalid_credentials": ("password", _("This is not the password that was chosen."))}
    password = _password(_("The password that you chose"), "current-password")


class EmailForm(PageForm):
    """An address."""

    email = _email("username")


class NewPasswordForm(PageForm):
    """A password that is to be."""

    password = _password(_("New password"), "new-password", help_text=_CHOOSING)


class AdministratorForm(PageForm):
    """The first administrator."""

    email = _email("username")
    password = _password(_("Password"), "new-password", help_text=_CHOOSING)


class PasswordChangeForm(PageForm):
    """The present password, and the one that is to be."""

    blames = {"invalid_credentials": ("current_password", _("This is not your present password."))}
    current_password = _password(_("Present password"), "current-password")
    new_password = _password(_("New password"), "new-password", help_text=_CHOOSING)
