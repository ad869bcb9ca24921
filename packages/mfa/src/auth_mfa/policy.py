"""Who must have a second factor, and which kinds count."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from auth_core.assurance.methods import Method
from auth_core.messages.sms import sends_texts
from auth_core.registries import facts
from auth_mfa.conf import mfa

#: A rule of our own without a value: everybody.
_EVERYONE = "everyone"

#: Further rules of our own, and the attribute of the user model that answers each.
_FLAGS: Mapping[str, str] = {"staff": "is_staff", "superusers": "is_superuser"}

#: A rule of our own with a value, and what of the user model answers it.
_GROUP = "group"
_GROUPS = "groups"


class Requirement(Enum):
    """What policy says of one person; the set is closed."""

    NONE = "none"
    GRACE = "grace"
    REQUIRED = "required"


def requirement_of(user: Any) -> Requirement:
    """Say whether *user* must have a second factor, and whether already today; no query unless a rule asks one."""
    if not any(_holds(rule, user) for rule in mfa.REQUIRED_OF):
        return Requirement.NONE
    return Requirement.GRACE if deadline_of(user) > timezone.now() else Requirement.REQUIRED


def deadline_of(user: Any) -> datetime:
    """Return until when *user* gets in without a factor, if they must have one and have none."""
    joined = getattr(user, "date_joined", None) or getattr(user, "created_at", None)
    begins = [moment for moment in (joined, mfa.REQUIRED_SINCE) if moment is not None]
    return max(begins) + mfa.GRACE_PERIOD if begins else timezone.now()


def is_offered(method: Method) -> bool:
    """Say whether people may have factors of this kind here."""
    return method.value in mfa.METHODS and (method is not Method.SMS_CODE or sends_texts())


def is_counted(method: Method) -> bool:
    """Say whether a factor of this kind is what policy asks for."""
    return method.value in mfa.COUNTED_METHODS


def unknown_rules() -> list[str]:
    """Return the rules of `REQUIRED_OF` that nothing here can answer."""
    return [rule for rule in mfa.REQUIRED_OF if not _is_answered(rule, get_user_model())]


def _is_answered(rule: str, people: Any) -> bool:
    """Tell whether a fact, or an attribute of the user model *people*, answers *rule*."""
    name, colon, value = rule.partition(":")
    if not colon:
        return rule == _EVERYONE or (rule in _FLAGS and hasattr(people, _FLAGS[rule]))
    return bool(value) and (hasattr(people, _GROUPS) if name == _GROUP else facts.get(name) is not None)


def _holds(rule: str, user: Any) -> bool:
    """Tell whether *rule* is about *user*.

    A rule that nothing here can answer is about everybody, and a check reports it: a misspelt
    rule, or a user model without the attribute, must not take the duty from the people it was for.
    """
    if rule == _EVERYONE or not _is_answered(rule, user.__class__):
        return True
    name, _colon, value = rule.partition(":")
    if rule in _FLAGS:
        return bool(getattr(user, _FLAGS[rule]))
    if name == _GROUP:
        return bool(user.groups.filter(name=value).exists())
    fact: Any = facts.get(name)
    return _says(fact(user), value)


def _says(fact: Any, value: str) -> bool:
    if isinstance(fact, Collection) and not isinstance(fact, str):
        return value in {str(piece) for piece in fact}
    return str(fact) == value
