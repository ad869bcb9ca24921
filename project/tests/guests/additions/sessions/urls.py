urlpatterns += [path("api/v1/", include("auth_sessions.api.urls")), path("", include("auth_sessions.pages.urls"))]
