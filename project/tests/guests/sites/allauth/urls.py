urlpatterns += [path("accounts/", include("allauth.urls"))]
