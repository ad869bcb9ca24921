"""Random acts of delegates: every way to change who holds what, by a function or over the API."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from hypothesis import strategies as st

from auth_core.errors import AuthError
from auth_rbac.models import Assignment, Role
from auth_rbac.objects.grants import permit, withdraw
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import change_role, create_role, delete_role
from conftest import again, browser_of, held_by, named, permission
from oracle import Picture
from shop.models import Branch, Company
from worlds import NAMES, NOW, World, few, hours

#: The permissions that a role may contain: those of the world, and some that managing needs.
GRANTABLE = [*NAMES, "auth_rbac.change_role", "auth_rbac.add_assignment"]
PATTERNS = ["shop.*", "shop.order.*", "auth_rbac.*"]

#: All permissions that managing needs.
MANAGING = [f"auth_rbac.{verb}_role" for verb in ("add", "change", "delete")]
MANAGING += [f"auth_rbac.{verb}_assignment" for verb in ("view", "add", "delete")]

#: Moments that cover every interval: bounds are whole hours, and the last moment is long after all of them.
MOMENTS = [*(NOW + timedelta(hours=hour) for hour in range(8)), NOW + timedelta(days=36500)]

#: A person's permissions: name, object and moment.
Permissions = set[tuple[str, str, Any]]


@dataclass(frozen=True)
class Act:
    """One attempt of a delegate.

    Args:
        actor: The index of the person.
        by_api: Whether it is a request to the API. If not, it calls the function.
        verb: The name of a method of `Doer`.
        what: The arguments.
    """

    actor: int
    by_api: bool
    verb: str
    what: dict[str, Any] = field(default_factory=dict)


names = st.lists(st.sampled_from(GRANTABLE), min_size=1, max_size=2, unique=True) | st.just([])
patterns = st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=1) | st.just([])
number = st.integers(0, 5)

#: The index of the role that every delegate holds, after the four roles of the plan.
MANAGERS = 4
contents = {
    "permissions": names, "denials": names, "wildcards": patterns, "denied_wildcards": patterns,
    "parents": st.lists(number, max_size=2, unique=True),
}  # fmt: skip
whats = {
    "create_role": st.fixed_dictionaries({}, optional=contents),
    "change_role": st.sampled_from([*contents, *["permissions", "wildcards", "parents"]]).flatmap(
        lambda kind: st.fixed_dictionaries({"role": number | st.just(MANAGERS), kind: contents[kind]})
    ),
    "delete_role": st.fixed_dictionaries({"role": number}),
    "assign": st.fixed_dictionaries(
        {
            "by_group": st.booleans(), "holder": few, "role": number, "scope": st.integers(0, 6),
            "begins": hours, "lasts": st.none() | st.integers(1, 4),
        }
    ),
    "revoke": st.fixed_dictionaries({"assignment": st.integers(0, 20)}),
    "permit": st.fixed_dictionaries({"by_group": st.booleans(), "holder": few, "order": few, "name": st.integers(0, 2)}),
    "withdraw": st.fixed_dictionaries(
        {"by_group": st.booleans(), "holder": few, "order": few, "name": st.integers(0, 2)}
    ),
}  # fmt: skip
#: Changes of roles are most frequent, because there an actor may change their own role.
VERBS = [*sorted(whats), *["change_role"] * 5, "assign"]
acts = st.sampled_from(VERBS).flatmap(
    lambda verb: st.builds(Act, st.integers(0, 2), st.integers(0, 7).map(lambda n: n == 0), st.just(verb), whats[verb])
)


class Doer:
    """Performs acts in one world, by functions and over the API."""

    def __init__(self, world: World) -> None:
        self.world = world
        managing = create_role(name="managing", permissions=[permission(name) for name in MANAGING])
        for person in world.people[:3]:
            assign_role(user=person, role=managing)
        assign_role(user=world.people[0], role=create_role(name="orders", wildcards=["shop.order.*"]))
        self.created = 0

    def do(self, act: Act) -> bool:
        """Perform an act, and return whether it was allowed."""
        actor: Any = again(self.world.people[act.actor])
        try:
            done = getattr(self, act.verb)(actor, act.by_api, **act.what)
        except AuthError:
            return False
        if hasattr(done, "status_code"):
            assert done.status_code < 500, done.content
            return bool(done.status_code < 300)
        return done is not False

    def create_role(self, actor: Any, by_api: bool, **content: Any) -> Any:
        self.created += 1
        name = f"created {self.created}"
        if by_api:
            return send(actor, "post", "roles/", {"name": name, **self._content(content, by_api=True)})
        return create_role(name=name, actor=actor, **self._content(content))

    def change_role(self, actor: Any, by_api: bool, role: int, **content: Any) -> Any:
        if by_api:
            return send(actor, "patch", f"roles/{self._role(role).pk}/", self._content(content, by_api=True))
        return change_role(role=self._role(role), actor=actor, **self._content(content))

    def delete_role(self, actor: Any, by_api: bool, role: int) -> Any:
        if by_api:
            return send(actor, "delete", f"roles/{self._role(role).pk}/")
        return delete_role(role=self._role(role), actor=actor)

    def assign(self, actor: Any, by_api: bool, **what: Any) -> Any:
        scope, since = self._scopes()[what["scope"]], NOW + timedelta(hours=what["begins"])
        until = None if what["lasts"] is None else since + timedelta(hours=what["lasts"])
        holder = self._holder(what)
        if not by_api:
            return assign_role(
                role=self._role(what["role"]),
                scope=scope,
                granted_by=actor,
                valid_from=since,
                valid_until=until,
                **holder,
            )
        body = {"role": str(self._role(what["role"]).pk), "valid_from": since.isoformat(), "holder": _public(holder)}
        body |= {} if until is None else {"valid_until": until.isoformat()}
        return send(actor, "post", "assignments/", body | ({} if scope is None else {"scope": named(scope)}))

    def revoke(self, actor: Any, by_api: bool, assignment: int) -> Any:
        rows = list(Assignment.objects.order_by("created_at", "pk"))
        row = rows[assignment % len(rows)]
        if by_api:
            return send(actor, "delete", f"assignments/{row.pk}/")
        return revoke_role(assignment=row, revoked_by=actor)

    def permit(self, actor: Any, by_api: bool, **what: Any) -> Any:
        order, name = self.world.orders[what["order"]], NAMES[what["name"]]
        if by_api:
            body = {"permission": name, "object": named(order), "holder": _public(self._holder(what))}
            return send(actor, "post", "object-permissions/", body)
        return permit(holder=next(iter(self._holder(what).values())), permission=name, obj=order, actor=actor)

    def withdraw(self, actor: Any, by_api: bool, **what: Any) -> Any:
        holder = next(iter(self._holder(what).values()))
        order = self.world.orders[what["order"]]
        return withdraw(holder=holder, permission=NAMES[what["name"]], obj=order, actor=actor)

    def _role(self, index: int) -> Role:
        rows = list(Role.objects.order_by("created_at", "pk"))
        return rows[index % len(rows)]

    def _holder(self, what: dict[str, Any]) -> dict[str, Any]:
        if what["by_group"]:
            return {"group": self.world.groups[what["holder"]]}
        return {"user": self.world.people[what["holder"]]}

    def _scopes(self) -> list[Any]:
        return [
            None,
            None,
            *self.world.orders[:3],
            Branch._default_manager.earliest("pk"),
            Company._default_manager.earliest("pk"),
        ]

    def _content(self, content: dict[str, Any], *, by_api: bool = False) -> dict[str, Any]:
        arguments = dict(content)
        if "parents" in content:
            parents = [self._role(index) for index in content["parents"]]
            arguments["parents"] = sorted({str(role.pk) for role in parents}) if by_api else parents
        if not by_api:
            arguments |= {
                kind: map(permission, content[kind]) for kind in ("permissions", "denials") if kind in content
            }
        return arguments


def _public(holder: dict[str, Any]) -> dict[str, str]:
    return held_by(*holder.values())


def send(caller: User, method: str, address: str, body: Any = None) -> Any:
    """Return the API's response."""
    request = getattr(browser_of(caller), method)
    return request(f"/api/v1/{address}", body, content_type="application/json")


def held_by_each(world: World) -> dict[int, Permissions]:
    """Return the permissions of each person by the oracle: everywhere, for each object, and for a future object."""
    picture, places = Picture(), _places(world)
    return {
        person.pk: {
            (name, place, moment)
            for place, scopes in places.items()
            for moment in MOMENTS
            for name in picture.held(person, scopes, moment)
            if name in GRANTABLE or name in MANAGING
        }
        for person in User.objects.all()
    }


def _places(world: World) -> dict[str, list[tuple[int, str]]]:
    def scopes(*objects: Any) -> list[tuple[int, str]]:
        return [(ContentType.objects.get_for_model(x).pk, str(x.pk)) for x in objects]

    branches = list(Branch._default_manager.select_related("company"))
    places: dict[str, list[tuple[int, str]]] = {"everywhere": []}
    places |= {f"company {company.pk}": scopes(company) for company in Company._default_manager.all()}
    places |= {f"branch {branch.pk}": scopes(branch, branch.company) for branch in branches}
    places |= {f"order {order.pk}": scopes(order, *world.around(order)) for order in world.orders}
    later = (ContentType.objects.get_for_model(type(world.orders[0])).pk, "999999999")
    return places | {f"later in {branch.pk}": [later, *scopes(branch, branch.company)] for branch in branches}


def never_grows(world: World, sequence: list[Act], do: Callable[[Act], bool]) -> int:
    """Perform the acts one after the other, and return how many were allowed.

    Raises:
        AssertionError: an act gave or took something that its actor did not hold before it.
    """
    allowed, before = 0, held_by_each(world)
    for act in sequence:
        if not do(act):
            continue
        allowed += 1
        after, authority = held_by_each(world), before[world.people[act.actor].pk]
        for person, permissions in after.items():
            gained, lost = permissions - before[person], before[person] - permissions
            if act.verb == "revoke":  # The actor must hold it now, but no longer.
                lost = {each for each in lost if each[2] == NOW}
            assert gained <= authority, f"{act} gave {sorted(gained - authority)[:3]}"
            assert lost <= authority, f"{act} took {sorted(lost - authority)[:3]}"
        assert _union(world, after) <= _union(world, before), f"{act}: together they hold more"
        before = after
    return allowed


def _union(world: World, permissions: dict[int, Permissions]) -> Permissions:
    """Return what the acting people hold together."""
    return set().union(*(permissions[person.pk] for person in world.people[:3]))
