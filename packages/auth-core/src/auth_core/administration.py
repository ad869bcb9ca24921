"""The proof required of administrators besides a permission: how much, and how recent (ASVS 8.4.2, 7.5.3).

The network address of a caller proves nothing, even in a trusted network.
"""

import inspect
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import SessionFacts, check_assurance
from auth_core.assurance.levels import Assurance, can_reach_aal2
from auth_core.assurance.methods import WEBAUTHN_METHODS
from auth_core.conf import core
from auth_core.people.lookup import second_factor_methods_of
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.urls import ResolverMatch

#: The required assurance level. The only key without a default.
ASSURANCE = "assurance"


class Act(StrEnum):
    """What an administrator does, which determines the maximum age of their proof. Also the key in the setting."""

    READ = "read"
    CHANGE = "change"
    #: Grants rights, removes protection, or exports the audit trail.
    CRITICAL = "critical"


#: Default maximum age of a proof.
MAX_AGES: Mapping[Act, timedelta] = {
    Act.READ: timedelta(hours=8),
    Act.CHANGE: timedelta(minutes=30),
    Act.CRITICAL: timedelta(minutes=5),
}


def demanded() -> Assurance | None:
    """Return the assurance required of administrators. ``None`` if a permission is enough."""
    acr = core.ADMINISTRATION.get(ASSURANCE)
    return None if acr is None else Assurance.from_acr(acr)


def max_age_of(act: Act) -> timedelta:
    """Return the maximum age of the proof for *act*."""
    age: timedelta = core.ADMINISTRATION.get(act.value, MAX_AGES[act])
    return age


def check_administrator(session: SessionFacts | None, act: Act) -> None:
    """Check that an administrator has recently proved what *act* requires. Runs no query.

    Raises:
        NotAuthenticated: the request is anonymous.
        InsufficientUserAuthentication: the session has proved less, or too long ago (RFC 9470).
    """
    needed = demanded()
    if needed is not None:
        check_assurance(session, needed, max_age_of(act))


def can_prove(user: UserLike, needed: Assurance) -> bool:
    """Return whether *user* can reach *needed* with their factors, as far as a package reports them."""
    methods = second_factor_methods_of(user)
    if needed is Assurance.AAL3:
        return not methods.isdisjoint(WEBAUTHN_METHODS)
    return needed < Assurance.AAL2 or can_reach_aal2(methods)


def setting_problems() -> Iterator[str]:
    """Yield the problems of the setting. At run time they would lock administrators out."""
    setting = core.ADMINISTRATION
    levels = [level.acr for level in Assurance if level is not Assurance.NONE]
    if unknown := sorted(set(setting) - {ASSURANCE, *Act}):
        yield f"unknown key {', '.join(unknown)} (known keys: {', '.join((ASSURANCE, *Act))})"
    if setting.get(ASSURANCE, levels[0]) not in levels:
        yield f"unknown assurance {setting[ASSURANCE]!r} (known levels: {', '.join(levels)})"
    if setting and ASSURANCE not in setting:
        yield "'assurance' is missing"
    for act in Act:
        age = setting.get(act, MAX_AGES[act])
        if not isinstance(age, timedelta) or age <= timedelta(0):
            yield f"{act.value!r} must be a positive timedelta"


#: The app name of every admin site, regardless of its name and address.
ADMIN = "admin"

#: Admin pages for login and logout.
_OPEN = frozenset({"login", "logout"})


def is_administration(request: HttpRequest) -> bool:
    """Return whether *request* is for a page of an admin site, other than its login and logout."""
    match = request.resolver_match
    return match is not None and ADMIN in match.app_names and not _is_open(match)


def _is_open(match: "ResolverMatch") -> bool:
    """Return whether it is the site's own view, and not another page with the same name."""
    view = inspect.unwrap(match.func)
    is_site = hasattr(getattr(view, "__self__", None), "_registry")
    return match.url_name in _OPEN and is_site


def model_admin_of(view: object) -> Any:
    """Return the ``ModelAdmin`` that *view* belongs to, or ``None``.

    Django sets it on its own views. A view that a class adds, such as the one for a user's
    password, has it under its decorators.
    """
    while view is not None:
        for owner in (getattr(view, "model_admin", None), getattr(view, "__self__", None)):
            if hasattr(owner, "admin_site") and hasattr(owner, "opts"):
                return owner
        view = getattr(view, "__wrapped__", None)
    return None


#: Message on the page where administrators add the factor they lack.
ENROL_FIRST = _("Administration requires a second factor, and you do not have one yet. Add one here, then go back.")
