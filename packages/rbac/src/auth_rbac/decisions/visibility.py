"""The scopes in which a person has a permission, and the assignments and objects that the person may see."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from auth_core.users import UserLike
from auth_rbac.conf import rbac
from auth_rbac.decisions import decisions
from auth_rbac.models import Assignment, RoleClosure
from auth_rbac.permission_names import parts_of
from auth_rbac.scopes import around, kind_of

if TYPE_CHECKING:
    from auth_rbac.models.assignment import AssignmentQuerySet

#: The content type and the key of a scope.
Scope = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """The objects for which a person has a permission over what others hold.

    Args:
        is_everywhere: Whether the permission covers all objects except those in *denied*.
        allowed: Scopes in which it is allowed.
        denied: Scopes in which it is denied. A denial overrides every permission.
    """

    is_everywhere: bool
    allowed: frozenset[Scope] = frozenset()
    denied: frozenset[Scope] = frozenset()

    def bound_models(self) -> set[type[Model]]:
        """Return the models of which some objects lie in these scopes: the answer differs between their objects."""
        bound = self.denied if self.is_everywhere else self.allowed
        scope_models = {ContentType.objects.get_for_id(kind).model_class() for kind, _key in bound}
        inner_models = (apps.get_model(label) for label in rbac.SCOPES)
        inside = [model for model in inner_models if any(outer.model in scope_models for outer in around(model))]
        return {model for model in (*scope_models, *inside) if model is not None}

    def objects(self, model: type[Model]) -> "QuerySet[Any]":
        """Return the objects of *model* that are in reach."""
        rows = model._default_manager.exclude(_lying_in(model, self.denied))
        return rows if self.is_everywhere else rows.filter(_lying_in(model, self.allowed))


def allowed_scopes(user: UserLike, permission: str) -> set[Scope] | None:
    """Return the scopes in which *user* has the permission through a role. ``None``: everywhere."""
    decision = decisions.check(user, permission)
    if decision.allowed:
        return None
    if decision.is_denied or not user.is_active:
        return set()
    return _bound(user, permission, denies=False) - _bound(user, permission, denies=True)


def reach_of(user: UserLike, permission: str) -> Reach:
    """Return the objects for which *user* has the permission, everywhere or through roles in scopes."""
    decision = decisions.check(user, permission)
    if decision.is_denied or not user.is_active or getattr(user, "is_superuser", False):
        return Reach(decision.allowed)
    bound = {denies: frozenset(_bound(user, permission, denies=denies)) for denies in (False, True)}
    return Reach(decision.allowed, allowed=bound[False], denied=bound[True])


def reaches(user: UserLike, permission: str, obj: Model) -> bool:
    """Tell whether *obj* is in the reach of *user*, as `reach_of` returns it for all objects."""
    decision = decisions.check(user, permission, obj)
    return decision.allowed or (not decision.is_denied and decisions.check(user, permission).allowed)


def visible_assignments(user: UserLike) -> "AssignmentQuerySet":
    """Return the assignments that *user* may see."""
    bound = allowed_scopes(user, "auth_rbac.view_assignment")
    rows = Assignment.objects.all()
    if bound is None:
        return rows
    condition = Q(pk__in=[])
    for kind, key in bound:
        condition |= Q(scope_type=kind, scope_id=key)
    return rows.filter(condition)


def _bound(user: UserLike, permission: str, *, denies: bool) -> set[Scope]:
    app, codename = parts_of(permission)
    field = "denials" if denies else "permissions"
    by_name = Q(**{f"ancestor__{field}__content_type__app_label": app, f"ancestor__{field}__codename": codename})
    model = codename.partition("_")[2]
    by_pattern = Q(
        ancestor__wildcards__denies=denies,
        ancestor__wildcards__app_label=app,
        ancestor__wildcards__model__in=["", model],
    )
    roles = RoleClosure.objects.filter(by_name | by_pattern).values("role")
    assignments = Assignment.objects.reaching(user).in_force().filter(scope_type__isnull=False, role__in=roles)
    return set(assignments.values_list("scope_type_id", "scope_id"))


def _lying_in(model: type[Model], scopes: frozenset[Scope]) -> Q:
    """Return the condition that an object of *model* is one of *scopes*, or lies in one."""
    condition = Q(pk__in=[])
    for path, outer in (("pk", model), *around(model)):
        condition |= Q(**{f"{path}__in": [key for kind, key in scopes if kind == kind_of(outer)]})
    return condition
