"""The addresses of a site with the API, the pages, Django's own login and the admin."""

from django.contrib import admin
from django.contrib.auth.views import LoginView
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("accounts/login/", LoginView.as_view(template_name="auth_core/form.html", next_page="/")),
    path("api/v1/", include("auth_core.api.urls")),
    path("", include("auth_core.pages.urls")),
]
