"""The forms of pages."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm


class DeviceNameForm(PageForm):
    """What a device is called."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        required=False,
        help_text=_("Such as: my laptop, the one in the office."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class EndSessionForm(PageForm):
    """Which session ends for the one that is opened; the page shows them as they are now."""

    title = _("Where do you want to be signed out?")
    button = _("Sign out there, and go on here")
    blames: ClassVar[Mapping[str, tuple[str, Any]]] = {
        "challenge_failed": ("end", _("This session has ended already. Choose another, if it is asked still."))
    }
    end = forms.CharField(
        label=_("Session"), max_length=36, error_messages={"required": _("Choose the session that ends.")}
    )
