"""The content of roles: the permissions they allow and deny, by name and by wildcard, ancestors included."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission

from auth_rbac.models import Role, RoleClosure, Wildcard
from auth_rbac.permission_names import label_of, pattern_parts

#: A wildcard as app and model. An empty model stands for every model of the app.
Pattern = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Content:
    """A set of permissions.

    Args:
        names: Permissions as ``app.codename``.
        patterns: Wildcards, which also include permissions that are made later.
    """

    names: frozenset[str] = frozenset()
    patterns: frozenset[Pattern] = frozenset()

    def __or__(self, other: "Content") -> "Content":
        return Content(self.names | other.names, self.patterns | other.patterns)

    def __bool__(self) -> bool:
        return bool(self.names or self.patterns)

    def has(self, name: str, models: Iterable[str]) -> bool:
        """Tell whether the permission *name*, which belongs to *models* of its app, is in this set."""
        app = name.partition(".")[0]
        return name in self.names or any((app, model) in self.patterns for model in ("", *models))

    def has_pattern(self, pattern: Pattern) -> bool:
        """Tell whether a wildcard that is at least as wide is in this set."""
        return pattern in self.patterns or (pattern[0], "") in self.patterns

    def overlaps(self, pattern: Pattern) -> bool:
        """Tell whether a wildcard of this set and *pattern* can include the same permission."""
        app, model = pattern
        return any(app == other_app and (not model or other in {"", model}) for other_app, other in self.patterns)


#: The empty set.
NOTHING = Content()


@dataclass(frozen=True, slots=True)
class RoleContent:
    """What a role allows and what it denies, including what its ancestors do."""

    allowed: Content = NOTHING
    denied: Content = NOTHING

    @property
    def all(self) -> Content:
        """Everything that the role contains, whether it allows or denies it."""
        return self.allowed | self.denied


def content_of(permissions: Iterable[Permission], patterns: Iterable[str]) -> Content:
    """Return the set of these permissions and wildcards.

    Raises:
        InvalidRequest: a pattern names no app or model.
    """
    return Content(frozenset(map(label_of, permissions)), frozenset(map(pattern_parts, patterns)))


def contents_of(roles: Iterable[Any]) -> dict[Any, RoleContent]:
    """Return the content of each role, given their keys. It is read from the database and never from an instance."""
    ancestors = defaultdict(set)
    for role, ancestor in RoleClosure.objects.filter(role__in=set(roles)).values_list("role_id", "ancestor_id"):
        ancestors[role].add(ancestor)
    above = set().union(*ancestors.values())
    allowed, denied = _names_in(Role.permissions, above), _names_in(Role.denials, above)
    patterns: dict[bool, dict[Any, set[Pattern]]] = {False: defaultdict(set), True: defaultdict(set)}
    for wildcard in Wildcard.objects.filter(role__in=above):
        patterns[wildcard.denies][wildcard.role_id].add((wildcard.app_label, wildcard.model))
    return {
        role: RoleContent(
            allowed=_merged(ancestor_keys, allowed, patterns[False]),
            denied=_merged(ancestor_keys, denied, patterns[True]),
        )
        for role, ancestor_keys in ancestors.items()
    }


def _names_in(field: Any, roles: set[Any]) -> dict[Any, set[str]]:
    """Return the names of the permissions that roles allow or deny by name."""
    names = defaultdict(set)
    rows = field.through._default_manager.filter(role__in=roles)
    for role, app, codename in rows.values_list(
        "role_id", "permission__content_type__app_label", "permission__codename"
    ):
        names[role].add(f"{app}.{codename}")
    return names


def _merged(roles: set[Any], names: dict[Any, set[str]], patterns: dict[Any, set[Pattern]]) -> Content:
    return Content(
        frozenset().union(*(names.get(role, ()) for role in roles)),
        frozenset().union(*(patterns.get(role, ()) for role in roles)),
    )
