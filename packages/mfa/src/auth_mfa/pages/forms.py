"""The forms of the pages, except those of passkeys."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import CodeForm, PageForm

_FULL = _("You have already added this one, or reached the maximum number.")


class BeginForm(PageForm):
    """A button that begins a new factor."""

    blames: ClassVar[Mapping[str, tuple[str | None, Any]]] = {"conflict": (None, _FULL)}


class PhoneForm(BeginForm):
    """A phone number. `auth_mfa.messages.phone_numbers` validates it."""

    blames: ClassVar[Mapping[str, tuple[str | None, Any]]] = {
        "conflict": (None, _FULL),
        "number_refused": (
            "number",
            _("We cannot send text messages to this number. Use another number or another method."),
        ),
    }
    number = forms.CharField(
        label=_("Mobile number"),
        max_length=32,
        help_text=_("With + and the country code, such as +41 79 123 45 67."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )


class FactorNameForm(PageForm):
    """The name of a factor."""

    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        help_text=_("For example: my phone, blue security key."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RecoveryCodeForm(PageForm):
    """One recovery code."""

    title, button = _("Enter a recovery code"), _("Continue")
    others_beside = True
    blames = {"challenge_failed": ("code", _("This code is wrong or was already used."))}
    code = forms.CharField(
        label=_("Recovery code"),
        max_length=24,
        help_text=_("Four groups of four letters and digits."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class EnrolmentForm(CodeForm):
    """The first code of an authenticator app that is added inside a login."""

    title, button = _("Add an authenticator app"), _("Confirm")
