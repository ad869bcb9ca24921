"""The signed-in person, with the authentication of the selected peer."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class MeView(APIView):
    """``GET me/``."""

    def get(self, request: Request) -> Response:
        """Return who asks."""
        return Response({"id": str(request.user.pk), "email": request.user.email, "username": request.user.username})
