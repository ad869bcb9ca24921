INSTALLED_APPS += ["people"]
AUTH_USER_MODEL = "people.User"
