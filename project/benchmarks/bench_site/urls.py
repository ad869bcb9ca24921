"""The URLs of the product and the route."""

from django.urls import path

from bench_site.views import OrdersView
from enterprise_auth import urls

urlpatterns = [path("api/v1/orders/", OrdersView.as_view(), name="orders"), *urls.urlpatterns]
handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500
