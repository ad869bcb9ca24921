from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView
from visits.jwt_views import TokenMe

urlpatterns += [
    path("token/", TokenObtainPairView.as_view()),
    path("token/refresh/", TokenRefreshView.as_view()),
    path("token/me/", TokenMe.as_view()),
]
