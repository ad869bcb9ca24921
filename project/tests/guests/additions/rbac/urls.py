urlpatterns += [path("api/v1/", include("auth_rbac.api.urls"))]
