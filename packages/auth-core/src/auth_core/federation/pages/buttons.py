"""The buttons of providers, on the login page and among the connections of a person."""

from django.http import HttpRequest

from auth_core.federation.providers.base import Provider
from auth_core.federation.providers.configuration import usable_providers
from auth_core.memo import Memo
from auth_core.pages.form_targets import allow_form_targets

#: On a request: the providers whose buttons the page has.
_SHOWN: Memo[list[Provider]] = Memo("auth_federation.shown_providers")


def login_way(request: HttpRequest) -> str:
    """Return the template of the buttons on the login page, if there is a provider."""
    return "auth_federation/buttons.html" if shown_providers(request) else ""


def shown_providers(request: HttpRequest) -> list[Provider]:
    """Return the providers in their order, and let the forms of the page lead to them. Asks no provider anything."""
    providers = _SHOWN.of(request)
    if providers is None:
        providers = usable_providers()
        _SHOWN.keep(request, providers)
        allow_form_targets(request, dict.fromkeys(target for each in providers for target in each.form_targets()))
    return providers
