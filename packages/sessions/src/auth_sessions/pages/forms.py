"""The forms of pages."""

from django import forms
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm


class DeviceNameForm(PageForm):
    """What a device is called."""

    name = forms.CharField(
        label=_("Name"), max_length=100, required=False, help_text=_("Such as: my laptop, the one in the office.")
    )
