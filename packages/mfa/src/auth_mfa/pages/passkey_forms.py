"""The forms in which a script posts the response of an authenticator."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm
from auth_mfa.webauthn.ceremony import MAX_CREDENTIAL

_WRONG = _("Your browser did not send a passkey.")


class CredentialField(forms.CharField):
    """A credential as JSON. `auth_mfa.webauthn.ceremony` validates its content."""

    def __init__(self, **kwargs: Any) -> None:
        messages = {"required": _WRONG, "max_length": _WRONG}
        defaults = {"max_length": MAX_CREDENTIAL, "widget": forms.HiddenInput, "error_messages": messages}
        super().__init__(**{**defaults, **kwargs})

    def clean(self, value: object) -> Any:
        """Return the parsed JSON, or ``None`` if an optional field is empty."""
        text = super().clean(value)
        try:
            return json.loads(text) if text else None
        except (ValueError, RecursionError):
            raise forms.ValidationError(_WRONG, code="invalid") from None


class PasskeyAnswerForm(PageForm):
    """The assertion that answers a login. The page offers the other factors beside it."""

    title, button = _("Use your passkey"), _("Continue")
    others_beside = True
    credential = CredentialField()


class PasskeyLoginForm(PageForm):
    """The assertion of a login by passkey alone, which names the user."""

    token = forms.CharField(max_length=100, widget=forms.HiddenInput)
    credential = CredentialField()


class PasskeyEnrolmentForm(PageForm):
    """A new passkey that a login demands. The page offers the other methods beside it."""

    title, button = _("Add a passkey"), _("Create passkey")
    others_beside = True
    blames = {"challenge_failed": ("credential", _("This passkey could not be verified. Try again."))}
    credential = CredentialField()


class PasskeyForm(PageForm):
    """A new passkey. Without a credential the form begins the registration."""

    blames = {"challenge_failed": ("credential", _("This passkey could not be verified. Try again."))}
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        required=False,
        help_text=_("For example: my laptop, blue security key."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    credential = CredentialField(required=False)
