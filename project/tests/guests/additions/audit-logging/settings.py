INSTALLED_APPS += ["auth_audit"]
MIDDLEWARE += ["auth_audit.middleware.AdminChangesMiddleware"]
