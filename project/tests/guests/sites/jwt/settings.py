from datetime import timedelta

INSTALLED_APPS += ["rest_framework_simplejwt"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}
SIMPLE_JWT = {"UPDATE_LAST_LOGIN": True, "ACCESS_TOKEN_LIFETIME": timedelta(minutes=5)}
