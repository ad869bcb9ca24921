"""The settings of this package: ``AUTH_RBAC = {...}``, and what it reads of the host's."""

from collections.abc import Mapping, Sequence

from django.conf import settings

from auth_core.options import Option, PackageSettings

#: What answers `user.has_perm`.
BACKEND = "auth_rbac.backends.RoleBackend"


class RbacSettings(PackageSettings):
    """What a host may say in ``AUTH_RBAC``."""

    setting = "AUTH_RBAC"

    MAX_DEPTH = Option(16, unit="edges", doc="Longest chain of parents that the graph of roles may have.")
    PERMISSIONS = Option[Mapping[str, str]](
        {},
        doc="Further permissions, made after every migration: `app.model.codename` to the sentence that people read.",
    )
    SCOPES = Option[Mapping[str, Sequence[str]]](
        {},
        doc="The objects around an object, in which a role holds for it, too: `app.model` to foreign keys, "
        "such as {'shop.order': ['branch', 'branch__company']}.",
    )
    WIRE_IDS = Option[Mapping[str, str]](
        {}, doc="By which unique field the API names objects: `app.model` to field; left out: the primary key."
    )
    TRUST_SNAPSHOTS = Option(
        False,
        doc="Whether the versions in a session's snapshot are believed: no query for an answer that is remembered, "
        "but what neither our functions nor a signal tells of (`.update()`, SQL), and what changes for more than one "
        "person (a role, a group's roles), is seen only when the snapshot is over.",
    )
    REMEMBERED_PEOPLE = Option(10_000, unit="people", doc="Of how many people a process remembers answers.")
    REMEMBERED_ANSWERS = Option(2_000, unit="answers", doc="How many answers about one person it remembers.")


rbac = RbacSettings()


def authentication_backends() -> list[str]:
    """Return the host's ``AUTHENTICATION_BACKENDS``, in their order."""
    return list(settings.AUTHENTICATION_BACKENDS)


def guardian_leaves_users_alone() -> bool:
    """Say whether guardian makes no anonymous user and changes no user class."""
    return getattr(settings, "ANONYMOUS_USER_NAME", "AnonymousUser") is None and not getattr(
        settings, "GUARDIAN_MONKEY_PATCH_USER", True
    )
