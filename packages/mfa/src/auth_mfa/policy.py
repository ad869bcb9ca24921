"""The policy: which users must have a second factor, and which methods count."""

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from auth_core.assurance.methods import Method
from auth_core.messages.sms import sends_texts
from auth_core.registries import facts
from auth_core.users import UserLike
from auth_mfa.conf import mfa

#: The rule that applies to every user.
_EVERYONE = "everyone"

#: Rules without a value, and the attribute of the user model that each one reads.
_FLAGS: Mapping[str, str] = {"staff": "is_staff", "superusers": "is_superuser"}

#: The rule with the name of a group, and the relation of the user model that it reads.
_GROUP = "group"
_GROUPS = "groups"


class Requirement(Enum):
    """The requirement for one user. The set is closed."""

    NONE = auto()
    GRACE = auto()
    REQUIRED = auto()


def requirement_of(user: UserLike) -> Requirement:
    """Return whether *user* must have a second factor now, later or not at all. Only rules that need a query run one."""
    if not any(_applies(rule, user) for rule in mfa.REQUIRED_OF):
        return Requirement.NONE
    return Requirement.GRACE if deadline_of(user) > timezone.now() else Requirement.REQUIRED


def deadline_of(user: UserLike) -> datetime:
    """Return the end of the grace period of *user*, who must have a factor and has none."""
    joined = getattr(user, "date_joined", None) or getattr(user, "created_at", None)
    starts = [moment for moment in (joined, mfa.REQUIRED_SINCE) if moment is not None]
    return max(starts) + mfa.GRACE_PERIOD if starts else timezone.now()


def is_offered(method: Method) -> bool:
    """Return whether users may have factors of this method."""
    return method.value in mfa.METHODS and (method is not Method.SMS_CODE or sends_texts())


def is_counted(method: Method) -> bool:
    """Return whether a factor of this method satisfies the policy."""
    return method.value in mfa.COUNTED_METHODS


def unknown_rules() -> list[str]:
    """Return the rules of `REQUIRED_OF` that cannot be evaluated."""
    return [rule for rule in mfa.REQUIRED_OF if not _can_be_evaluated(rule, get_user_model())]


def _can_be_evaluated(rule: str, user_model: type[object]) -> bool:
    """Return whether *rule* names a registered fact, or an attribute that *user_model* has."""
    name, colon, value = rule.partition(":")
    if not colon:
        return rule == _EVERYONE or (rule in _FLAGS and hasattr(user_model, _FLAGS[rule]))
    return bool(value) and (hasattr(user_model, _GROUPS) if name == _GROUP else facts.get(name) is not None)


def _applies(rule: str, user: UserLike) -> bool:
    """Return whether *rule* applies to *user*.

    A rule that cannot be evaluated applies to every user, and a check reports it. A misspelt
    rule, or a user model without the attribute, must not exempt the users it was meant for.
    """
    if rule == _EVERYONE or not _can_be_evaluated(rule, user.__class__):
        return True
    name, _colon, value = rule.partition(":")
    if rule in _FLAGS:
        return bool(getattr(user, _FLAGS[rule]))
    if name == _GROUP:
        return bool(getattr(user, _GROUPS).filter(name=value).exists())
    fact: Any = facts.get(name)
    return _matches(fact(user), value)


def _matches(fact: object, value: str) -> bool:
    if isinstance(fact, Collection) and not isinstance(fact, str):
        return value in {str(item) for item in fact}
    return str(fact) == value
