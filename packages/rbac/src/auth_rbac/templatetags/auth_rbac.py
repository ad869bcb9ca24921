"""``{% load auth_rbac %}{% may user "change" order as may_change %}``."""

from typing import TYPE_CHECKING

from django import template

from auth_core.users import UserLike
from auth_rbac.decisions.decisions import check

if TYPE_CHECKING:
    from django.db.models import Model

register = template.Library()


@register.simple_tag
def may(user: UserLike, permission: str, obj: "Model | None" = None) -> bool:
    """Tell whether *user* has a permission. With an object it may be a verb."""
    return check(user, permission, obj).allowed
