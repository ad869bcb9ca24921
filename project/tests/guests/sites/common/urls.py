from django.contrib import admin
from django.urls import include, path
from visits import views

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", views.SiteLogin.as_view(), name="login"),
    path("me/", views.me),
    path("me/async/", views.me_async),
    path("count/async/", views.count),
    path("me/api/", views.Me.as_view()),
]
