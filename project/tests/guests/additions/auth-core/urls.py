urlpatterns += [path("api/v1/", include("auth_core.api.urls")), path("auth/", include("auth_core.pages.urls"))]
