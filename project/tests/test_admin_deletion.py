"""What belongs to a person does not keep the admin of a site from deleting that person."""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import CASCADE, Model

from auth_core.admin_permissions import DeletedWithPerson

#: The labels of our apps.
OURS = {"auth_core", "auth_mfa", "auth_rbac", "auth_sessions", "auth_audit"}


def belongs_to_people(model: type[Model]) -> bool:
    """Return whether rows of *model* are deleted with a person, directly or through another row."""
    owners = [
        field.related_model
        for field in model._meta.get_fields()
        if field.many_to_one or field.one_to_one
        if getattr(field.remote_field, "on_delete", None) is CASCADE
    ]
    return any(owner is get_user_model() or (owner is not model and belongs_to_people(owner)) for owner in owners)


def test_the_admin_of_every_row_of_a_person_leaves_the_decision_to_the_admin_of_people() -> None:
    ours = {model: one for model, one in admin.site._registry.items() if model._meta.app_label in OURS}
    of_people = [one for model, one in ours.items() if belongs_to_people(model)]

    assert len(of_people) > 5
    assert [type(one).__name__ for one in of_people if not isinstance(one, DeletedWithPerson)] == []
