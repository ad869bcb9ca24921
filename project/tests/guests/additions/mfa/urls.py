urlpatterns += [
    path("api/v1/", include("auth_mfa.api.urls")),
    path("account/second-factors/", include("auth_mfa.pages.urls")),
]
