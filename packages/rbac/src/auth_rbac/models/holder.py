"""The holder of an assignment in one form: its kind and its public id."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.contrib.auth.models import Group

from auth_rbac.models.group_identity import GroupIdentity


class HolderKind(StrEnum):
    """Who can hold a role. `auth_core.registries.holder_kinds` resolves the public ids of each kind."""

    PERSON = "person"
    GROUP = "group"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a role. APIs, events, reports and explanations name the holder in this form.

    Args:
        kind: A person, a group or a service.
        id: The public id: of a person `Identity.subject_id`, of a group `GroupIdentity.public_id`, of a service the id
            that its app assigned.
    """

    kind: HolderKind
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    def to_event(self) -> dict[str, str]:
        """Return the members of an event's ``data``."""
        return {"holder_kind": self.kind.value, "holder": str(self.id)}

    def to_json(self) -> dict[str, str]:
        """Return the form on the wire."""
        return {"kind": self.kind.value, "id": str(self.id)}


def public_id_of_group(group: Group) -> UUID:
    """Return the public id of *group*. It is created on first use. Two concurrent calls create one."""
    identity: GroupIdentity | None = getattr(group, "rbac_identity", None)
    if identity is None:
        identity, _created = GroupIdentity.objects.get_or_create(group=group)
        group.rbac_identity = identity  # type: ignore[attr-defined]  # the other side of the foreign key
    return identity.public_id
