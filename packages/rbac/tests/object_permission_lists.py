"""The list of object permissions over the API, and the number of their rows."""

from typing import Any

from django.contrib.auth.models import User
from guardian.models import GroupObjectPermission, UserObjectPermission

from conftest import browser_of
from shop.models import PlanGroupPermission, PlanUserPermission

LIST = "/api/v1/object-permissions/"
EVERY = ("shop.view_order", "shop.change_order", "shop.view_paper", "shop.view_plan", "shop.view_company")


def listed(caller: User, query: str = "") -> list[dict[str, Any]]:
    """Return the first page that *caller* sees."""
    answer = browser_of(caller).get(f"{LIST}{query}")
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def rows() -> int:
    """Return the number of object permissions in all tables."""
    tables = (UserObjectPermission, GroupObjectPermission, PlanUserPermission, PlanGroupPermission)
    return sum(table.objects.count() for table in tables)
