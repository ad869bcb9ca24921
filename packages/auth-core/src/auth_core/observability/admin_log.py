"""Django's admin action that deletes the selected rows, in one transaction with its entries in the admin log.

Django writes these entries first, and each statement is a transaction of its own. A deletion that is refused, such as that
of the last administrator, would leave entries about deletions that never happened.
"""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.decorators import action
from django.db import router, transaction

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

_NAME = delete_selected.__name__


@action(permissions=["delete"], description=delete_selected.short_description)  # type: ignore[attr-defined]  # set by Django's decorator
def delete_selected_or_nothing(
    model_admin: Any, request: "HttpRequest", queryset: "QuerySet[Any]"
) -> "HttpResponseBase | None":
    """Run Django's action. Undo its entries in the log if it raises an exception."""
    models = [model_admin.model, apps.get_model("admin", "LogEntry")]
    with ExitStack() as transactions:
        for alias in sorted({router.db_for_write(model) for model in models}):
            transactions.enter_context(transaction.atomic(using=alias))
        return delete_selected(model_admin, request, queryset)


def replace_deletion(site: Any) -> None:
    """Replace Django's own action on an admin site. An action that the site removed or replaced itself stays as it is."""
    if dict(site.actions).get(_NAME) is delete_selected:
        site.add_action(delete_selected_or_nothing, _NAME)
