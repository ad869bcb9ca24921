"""The settings of this package, ``AUTH_RBAC = {...}``, and the settings of the site that it reads."""

from collections.abc import Mapping, Sequence

from django.conf import settings

from auth_core.options import Option, PackageSettings

#: The backend that answers `user.has_perm`.
BACKEND = "auth_rbac.backends.RoleBackend"


class RbacSettings(PackageSettings):
    """The settings in ``AUTH_RBAC``."""

    setting = "AUTH_RBAC"

    MAX_DEPTH = Option(16, unit="edges", doc="The longest chain of parents in the graph of roles.")
    PERMISSIONS = Option[Mapping[str, str]](
        {},
        doc="Additional permissions, created after every migration: `app.model.codename` to the permission's title.",
    )
    SCOPES = Option[Mapping[str, Sequence[str]]](
        {},
        doc="The objects in whose scope an object lies: `app.model` to paths of foreign keys, such as"
        " {'shop.order': ['branch', 'branch__company']}. A role in the scope of the outer object covers it as well.",
    )
    WIRE_IDS = Option[Mapping[str, str]](
        {},
        doc="The unique field by which the API names objects: `app.model` to field. Default: the primary key.",
    )
    TRUST_SNAPSHOTS = Option(
        False,
        doc="Whether to trust the versions in a session's snapshot. A cached decision then takes no query. Changes that"
        " send no signal (`.update()`, SQL) and changes for more than one person (a role, a group's roles) are not seen"
        " before the snapshot expires.",
    )
    REMEMBERED_PEOPLE = Option(
        10_000, unit="people", doc="The most people and services whose decisions a process caches."
    )
    REMEMBERED_ANSWERS = Option(
        2_000, unit="answers", doc="The most decisions that a process caches about one of them."
    )


rbac = RbacSettings()


def authentication_backends() -> list[str]:
    """Return the site's ``AUTHENTICATION_BACKENDS``, in order."""
    return list(settings.AUTHENTICATION_BACKENDS)


def guardian_leaves_users_alone() -> bool:
    """Tell whether guardian creates no anonymous user and does not patch the user model."""
    return getattr(settings, "ANONYMOUS_USER_NAME", "AnonymousUser") is None and not getattr(
        settings, "GUARDIAN_MONKEY_PATCH_USER", True
    )
