from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import JsonResponse
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class SiteLogin(LoginView):
    template_name = "login.html"


@login_required
def me(request):
    return JsonResponse({"me": request.user.get_username()})


async def me_async(request):
    user = await request.auser()
    return JsonResponse({"me": user.get_username()})


async def count(request):
    visits = await request.session.aget("visits", 0) + 1
    await request.session.aset("visits", visits)
    return JsonResponse({"visits": visits})


class Me(APIView):
    authentication_classes = [SessionAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"me": request.user.get_username()})

    def post(self, request):
        return Response({"me": request.user.get_username()})
