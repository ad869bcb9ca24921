"""The app of the composed service."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from auth_core.oauth.registries import Claim, Scope, claims, scopes
from auth_core.registries import MenuEntry, menu_entries
from enterprise_auth.core.conf import site

#: The account pages that the service adds to those of auth_core.
_MENU_ENTRIES = {
    "auth_mfa.factors": MenuEntry(label=_("Second factors"), url_name="mfa-pages:factors", order=30),
    "auth_sessions.sessions": MenuEntry(label=_("Sessions and devices"), url_name="sessions-pages:sessions", order=40),
    "auth_oauth.applications": MenuEntry(label=_("Connected applications"), url_name="oauth:applications", order=60),
}

#: The scope with which an application asks for the roles of a person. Only applications that it is listed for may ask.
_ROLES = Scope(sentence=_("See your roles"), claims=("roles",))


class EnterpriseAuthConfig(AppConfig):
    """The composed service."""

    name = "enterprise_auth"
    label = "enterprise_auth"

    def ready(self) -> None:
        """Connect receivers, register the menu and the claim of roles, and load the Celery application if there is a broker.

        Without the application, tasks would be sent to a broker on localhost. Without a broker no task is sent.
        """
        from auth_rbac.facts import all_roles_of  # noqa: PLC0415 - models exist only now
        from enterprise_auth import checks, receivers  # noqa: F401, PLC0415 - settings are not ready before

        if site.broker_url:
            import_module("enterprise_auth.celery")
        receivers.connect()
        for name, entry in _MENU_ENTRIES.items():
            menu_entries.register(name, entry)
        scopes.register("roles", _ROLES)
        # Not by its name: the scope is in the policy of the application, and people read its sentence.
        claims.register("roles", Claim(value=all_roles_of, is_granted_by_name=False))
