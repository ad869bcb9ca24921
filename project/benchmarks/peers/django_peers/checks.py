"""Decisions about single objects, by django-guardian."""

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from guardian.core import ObjectPermissionChecker
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class CheckView(APIView):
    """``POST check/``: one object."""

    def post(self, request: Request) -> Response:
        """Return the decision."""
        obj = get_object_or_404(User, pk=request.data["id"])
        return Response({"allowed": request.user.has_perm("auth.view_user", obj)})


class CheckManyView(APIView):
    """``POST check-many/``: a page of objects."""

    def post(self, request: Request) -> Response:
        """Return a decision for each."""
        objects = list(User.objects.filter(pk__in=request.data["ids"]))
        checker = ObjectPermissionChecker(request.user)
        checker.prefetch_perms(objects)
        return Response(
            {"decisions": [{"id": obj.pk, "allowed": checker.has_perm("view_user", obj)} for obj in objects]}
        )
