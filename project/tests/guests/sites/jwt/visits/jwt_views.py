from rest_framework.response import Response
from rest_framework.views import APIView


class TokenMe(APIView):
    """As the site's defaults say: a JWT, and a signed-in person."""

    def get(self, request):
        return Response({"me": request.user.get_username()})
