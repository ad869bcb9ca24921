"""The app ``auth_rbac``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthRbacConfig(AppConfig):
    """Roles and their assignments."""

    name = "auth_rbac"
    label = "auth_rbac"
    verbose_name = _("Roles")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the holders, facts, exports, snapshot parts and checks, and connect the signals."""
        from auth_core.authority import authorities  # noqa: PLC0415 - models exist only now
        from auth_core.registries import exports, facts, holder_kinds, person_reads, snapshot_parts  # noqa: PLC0415 - models exist only now
        from auth_rbac import checks, receivers  # noqa: F401, PLC0415 - checks register by import
        from auth_rbac.decisions import decision_cache  # noqa: PLC0415 - as above
        from auth_rbac.facts import export_of, own_roles_of  # noqa: PLC0415 - as above
        from auth_rbac.holders.descriptions import (  # noqa: PLC0415 - as above
            describe_groups,
            describe_people,
        )
        from auth_rbac.models import HolderKind  # noqa: PLC0415 - as above
        from auth_rbac.object_guards import connect_object_guards  # noqa: PLC0415 - as above
        from auth_rbac.role_authority import ROLE_AUTHORITY  # noqa: PLC0415 - as above

        holder_kinds.register(HolderKind.PERSON, describe_people)
        holder_kinds.register(HolderKind.GROUP, describe_groups)
        facts.register("roles", own_roles_of)
        exports.register("auth_rbac", export_of)
        snapshot_parts.register(decision_cache.PART, decision_cache.versions_part)
        person_reads.register(decision_cache.PART, decision_cache.VERSIONS_READ)
        authorities.register("auth_rbac", ROLE_AUTHORITY)
        receivers.connect(self)
        connect_object_guards()
