"""A site with auth_core and this package only. Its users are Django's own."""

from auth_core.testing.settings import *

AUTHENTICATION_BACKENDS = ["auth_rbac.backends.RoleBackend", *AUTHENTICATION_BACKENDS]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [*ADMIN_APPS, *INSTALLED_APPS, "guardian", "auth_rbac", "shop", "robots"]
MIDDLEWARE = [*MIDDLEWARE, *ADMIN_MIDDLEWARE]
TEMPLATES = ADMIN_TEMPLATES
AUTH_RBAC = {
    "PERMISSIONS": {"shop.order.export": "Can export orders"},
    "SCOPES": {"shop.order": ["branch", "branch__company"], "shop.branch": ["company"]},
}
