"""The forms in which a script posts what an authenticator said."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm
from auth_mfa.webauthn.ceremony import MAX_CREDENTIAL

_WRONG = _("Your browser sent no passkey.")


class CredentialField(forms.CharField):
    """A credential as JSON; what is in it, `webauthn_ceremony` says."""

    def __init__(self, **kwargs: Any) -> None:
        messages = {"required": _WRONG, "max_length": _WRONG}
        known = {"max_length": MAX_CREDENTIAL, "widget": forms.HiddenInput, "error_messages": messages}
        super().__init__(**{**known, **kwargs})

    def clean(self, value: Any) -> Any:
        """Return what the JSON says; nothing, where nothing was sent and need not be."""
        sent = super().clean(value)
        try:
            return json.loads(sent) if sent else None
        except (ValueError, RecursionError):
            raise forms.ValidationError(_WRONG, code="invalid") from None


class PasskeyAnswerForm(PageForm):
    """The assertion that answers a login; other ways of answering stand beside it."""

    title, button = _("Use your passkey"), _("Use it")
    others_beside = True
    credential = CredentialField()


class PasskeyLoginForm(PageForm):
    """The assertion that says who it is."""

    token = forms.CharField(max_length=100, widget=forms.HiddenInput)
    credential = CredentialField()


class PasskeyEnrolmentForm(PageForm):
    """A new passkey that a login demands; the other kinds that may be added stand beside it."""

    title, button = _("Add a passkey"), _("Make it")
    others_beside = True
    blames = {"challenge_failed": ("credential", _("This passkey was not made for this site. Try again."))}
    credential = CredentialField()


class PasskeyForm(PageForm):
    """A new passkey; without one, the wish for it."""

    blames = {"challenge_failed": ("credential", _("This passkey was not made for this site. Try again."))}
    name = forms.CharField(
        label=_("Name"),
        max_length=64,
        required=False,
        help_text=_("Such as: my laptop, the key on my key ring."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    credential = CredentialField(required=False)
