"""A site with Django's own user model, its admin, and the trail."""

from auth_core.testing.settings import *

INSTALLED_APPS = [*ADMIN_APPS, *INSTALLED_APPS, "auth_audit"]
MIDDLEWARE = [*MIDDLEWARE, *ADMIN_MIDDLEWARE, "auth_audit.middleware.AdminChangesMiddleware"]
TEMPLATES = ADMIN_TEMPLATES
