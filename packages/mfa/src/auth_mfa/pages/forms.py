"""The forms of pages, but those of passkeys."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import CodeForm, PageForm

_FULL = _("You have as many of these as you may, or this one already.")


class BeginForm(PageForm):
    """A button that begins another factor."""

    blames: ClassVar[Mapping[str, tuple[str | None, Any]]] = {"conflict": (None, _FULL)}


class PhoneForm(BeginForm):
    """The number of a telephone; what is one, `auth_mfa.messages.phone_numbers` says."""

    blames: ClassVar[Mapping[str, tuple[str | None, Any]]] = {
        "conflict": (None, _FULL),
        "number_refused": ("number", _("No text can be sent to this number. Use another one, or another way.")),
    }
    number = forms.CharField(
        label=_("Mobile number"),
        max_length=32,
        help_text=_("With + and its country, such as +41 79 123 45 67."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )


class FactorNameForm(PageForm):
    """What a factor is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        help_text=_("Such as: my phone, the key on my key ring."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class RecoveryCodeForm(PageForm):
    """One of the codes on the sheet."""

    title, button = _("Enter a recovery code"), _("Go on")
    others_beside = True
    blames = {"challenge_failed": ("code", _("This code is not right, or it was used already."))}
    code = forms.CharField(
        label=_("Recovery code"),
        max_length=24,
        help_text=_("Four groups of four letters and digits."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class EnrolmentForm(CodeForm):
    """The first code of an authenticator app that is added inside a login."""

    title, button = _("Add an authenticator app"), _("Confirm")
