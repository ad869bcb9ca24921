"""The addresses of the selected peer."""

from django.conf import settings
from django.urls import include, path

from django_peers import floor

urlpatterns = [
    path("floor/", floor.bare),
    path("floor/redis/", floor.one_read),
    path("floor/select/", floor.one_select),
    path("floor/insert/", floor.one_insert),
]
if settings.PEER == "allauth":
    urlpatterns += [path("_allauth/", include("allauth.headless.urls"))]
elif settings.PEER != "floor":
    from django_peers import views

    urlpatterns += [path("me/", views.MeView.as_view())]
    if settings.PEER == "oauth":
        urlpatterns += [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
    else:
        from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

        urlpatterns += [path("token/", TokenObtainPairView.as_view())]
        urlpatterns += [path("token/refresh/", TokenRefreshView.as_view())]
    if settings.PEER == "guardian":
        from django_peers import checks

        urlpatterns += [path("check/", checks.CheckView.as_view()), path("check-many/", checks.CheckManyView.as_view())]
