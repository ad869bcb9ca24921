"""What administrators prove beside holding a permission: how much, and how lately (ASVS 8.4.2, 7.5.3).

An address from which somebody calls proves nothing here, trusted network or not.
"""

import inspect
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import SessionFacts, check_assurance
from auth_core.assurance.levels import Assurance, can_reach_aal2
from auth_core.assurance.methods import Method
from auth_core.conf import core
from auth_core.people.lookup import SECOND_FACTORS_PART, part_of

#: What a site that demands anything says: the only key without a default.
ASSURANCE = "assurance"

_WEBAUTHN = frozenset({Method.PASSKEY, Method.SECURITY_KEY})


class Act(StrEnum):
    """What an administrator does, and so how old their proof may be; also the key of its age in the setting."""

    READ = "read"
    CHANGE = "change"
    #: Gives power, takes protection away, or carries the trail out of the house.
    CRITICAL = "critical"


#: How old a proof may be where the site says nothing else.
MAX_AGES: Mapping[Act, timedelta] = {
    Act.READ: timedelta(hours=8),
    Act.CHANGE: timedelta(minutes=30),
    Act.CRITICAL: timedelta(minutes=5),
}


def demanded() -> Assurance | None:
    """Return what administrators must have proved here; ``None``: the site asks for no more than the permission."""
    acr = core.ADMINISTRATION.get(ASSURANCE)
    return None if acr is None else Assurance.from_acr(acr)


def max_age_of(act: Act) -> timedelta:
    """Return how old the proof for *act* may be."""
    age: timedelta = core.ADMINISTRATION.get(act.value, MAX_AGES[act])
    return age


def check_administrator(session: SessionFacts | None, act: Act) -> None:
    """See that an administrator has proved lately what *act* asks for; asks no database.

    Raises:
        NotAuthenticated: nobody is signed in.
        InsufficientUserAuthentication: the session has proved less, or too long ago (RFC 9470).
    """
    needed = demanded()
    if needed is not None:
        check_assurance(session, needed, max_age_of(act))


def can_prove(user: Any, needed: Assurance) -> bool:
    """Say whether *user* could reach *needed* with what they have, as far as a package told."""
    methods = {Method(factor["method"]) for factor in part_of(user, SECOND_FACTORS_PART, [])}
    if needed is Assurance.AAL3:
        return bool(methods & _WEBAUTHN)
    return needed < Assurance.AAL2 or can_reach_aal2(methods)


def setting_problems() -> Iterator[str]:
    """Yield what is wrong with the setting; it would be found out by an administrator who cannot get in."""
    given = core.ADMINISTRATION
    levels = [level.acr for level in Assurance if level is not Assurance.NONE]
    if unknown := sorted(set(given) - {ASSURANCE, *Act}):
        yield f"{', '.join(unknown)} is none of {', '.join((ASSURANCE, *Act))}"
    if given.get(ASSURANCE, levels[0]) not in levels:
        yield f"{given[ASSURANCE]!r} is none of {', '.join(levels)}"
    if given and ASSURANCE not in given:
        yield "it says how old a proof may be, and not which ('assurance')"
    for act in Act:
        age = given.get(act, MAX_AGES[act])
        if not isinstance(age, timedelta) or age <= timedelta(0):
            yield f"{act.value!r} is no duration above zero"


#: The namespace of every admin site, whatever it is called and wherever it is mounted.
ADMIN = "admin"

#: Pages of it on which people come in and leave.
_OPEN = frozenset({"login", "logout"})


def is_administration(request: HttpRequest) -> bool:
    """Tell whether *request* is for a page of an admin site, but the pages on which people come in and leave."""
    match = request.resolver_match
    return match is not None and ADMIN in match.app_names and not _is_open(match)


def _is_open(match: Any) -> bool:
    """Tell whether it is the site's own view of that name, and not another page that has the name too."""
    view = inspect.unwrap(match.func)
    is_site = hasattr(getattr(view, "__self__", None), "_registry")
    return match.url_name in _OPEN and is_site


def model_admin_of(view: Any) -> Any:
    """Return the ``ModelAdmin`` that *view* belongs to, or ``None``.

    Django leaves it on the views of its own. That of a page that a class adds, such as the one
    for a user's password, is found below what the view is wrapped in.
    """
    while view is not None:
        for found in (getattr(view, "model_admin", None), getattr(view, "__self__", None)):
            if hasattr(found, "admin_site") and hasattr(found, "opts"):
                return found
        view = getattr(view, "__wrapped__", None)
    return None


#: What whoever cannot prove it is told, where they can add what they lack.
ENROL_FIRST = _("Administration asks for a second factor that you do not have yet. Add one here, then go back there.")
