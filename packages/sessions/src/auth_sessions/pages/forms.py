"""The forms of pages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm


class DeviceNameForm(PageForm):
    """The name of a device."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        help_text=_("For example: my laptop, office computer."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EndSessionForm(PageForm):
    """The choice of the session to end. The page lists the live sessions."""

    title = _("Choose a session to end")
    button = _("End session and continue")
    blames: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "challenge_failed": ("end", _("This session has already ended. Choose another one."))
    }
    end = forms.CharField(
        label=_("Session"), max_length=36, error_messages={"required": _("Choose the session to end.")}
    )
