"""Where somebody may do something with what others hold: everywhere, or in some scopes; and what of it they see."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from auth_rbac.conf import rbac
from auth_rbac.decisions import decisions
from auth_rbac.models import Assignment, RoleClosure
from auth_rbac.permission_names import parts_of
from auth_rbac.scopes import around, kind_of

#: A scope, as kind and key.
Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Reach:
    """For which objects somebody may do something with what others hold.

    Args:
        is_everywhere: Whether for all, but what lies in *denied*.
        allowed: Scopes in which they may.
        denied: Scopes in which they must not, whatever else they hold.
    """

    is_everywhere: bool
    allowed: frozenset[Place] = frozenset()
    denied: frozenset[Place] = frozenset()

    def some_of(self) -> set[type[Model]]:
        """Return the models of whose objects some are others than the rest: those that lie in these scopes."""
        bound = self.denied if self.is_everywhere else self.allowed
        found = {ContentType.objects.get_for_id(kind).model_class() for kind, _key in bound}
        inside = (apps.get_model(label) for label in rbac.SCOPES)
        within = [model for model in inside if any(place.model in found for place in around(model))]
        return {model for model in (*found, *within) if model is not None}

    def objects(self, model: type[Model]) -> "QuerySet[Any]":
        """Return the objects of *model* for which they may."""
        rows = model._default_manager.exclude(_lying_in(model, self.denied))
        return rows if self.is_everywhere else rows.filter(_lying_in(model, self.allowed))


def places(user: Any, permission: str) -> set[Place] | None:
    """Return the scopes in which *user* may, by a role that is bound to them; ``None``: everywhere."""
    decision = decisions.check(user, permission)
    if decision.allowed:
        return None
    if decision.is_denied or not user.is_active:
        return set()
    return _bound(user, permission, denies=False) - _bound(user, permission, denies=True)


def reach_of(user: Any, permission: str) -> Reach:
    """Return for which objects *user* may: everywhere by whatever lets them, in scopes by a role that is bound to one."""
    decision = decisions.check(user, permission)
    if decision.is_denied or not user.is_active or getattr(user, "is_superuser", False):
        return Reach(decision.allowed)
    bound = {denies: frozenset(_bound(user, permission, denies=denies)) for denies in (False, True)}
    return Reach(decision.allowed, allowed=bound[False], denied=bound[True])


def reaches(user: Any, permission: str, obj: Model) -> bool:
    """Say whether *user* may for this object, as `reach_of` says for all."""
    decision = decisions.check(user, permission, obj)
    return decision.allowed or (not decision.is_denied and decisions.check(user, permission).allowed)


def seen_by(user: Any) -> "QuerySet[Assignment]":
    """Return the assignments that *user* may see."""
    bound = places(user, "auth_rbac.view_assignment")
    rows = Assignment.objects.all()
    if bound is None:
        return rows
    condition = Q(pk__in=[])
    for kind, key in bound:
        condition |= Q(scope_type=kind, scope_id=key)
    return rows.filter(condition)


def _bound(user: Any, permission: str, *, denies: bool) -> set[Place]:
    app, codename = parts_of(permission)
    field = "denials" if denies else "permissions"
    by_name = Q(**{f"ancestor__{field}__content_type__app_label": app, f"ancestor__{field}__codename": codename})
    model = codename.partition("_")[2]
    by_pattern = Q(
        ancestor__wildcards__denies=denies,
        ancestor__wildcards__app_label=app,
        ancestor__wildcards__model__in=["", model],
    )
    saying = RoleClosure.objects.filter(by_name | by_pattern).values("role")
    held = Assignment.objects.reaching(user).in_force().filter(scope_type__isnull=False, role__in=saying)
    return set(held.values_list("scope_type_id", "scope_id"))


def _lying_in(model: type[Model], places: frozenset[Place]) -> Q:
    """Return the condition that an object of *model* is one of these scopes, or lies in one."""
    condition = Q(pk__in=[])
    for path, of in (("pk", model), *around(model)):
        condition |= Q(**{f"{path}__in": [key for kind, key in places if kind == kind_of(of)]})
    return condition
