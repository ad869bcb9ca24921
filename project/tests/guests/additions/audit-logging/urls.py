urlpatterns += [path("api/v1/", include("auth_audit.api.urls"))]
