"""The views of devices."""

from collections.abc import Sequence
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.pagination import page_response
from auth_core.api.serializers import NoBody, NoFilters
from auth_core.api.shapes import DoneShape, page_of
from auth_core.api.views import AnonymousApiView, ApiView
from auth_core.assurance.evidence import session_of
from auth_core.errors import NotFound
from auth_core.request.client import client_of
from auth_sessions import devices
from auth_sessions.api.answers import device_answer
from auth_sessions.api.serializers import DeviceNameBody, NotMeBody
from auth_sessions.api.shapes import DeviceShape
from auth_sessions.devices import Place
from auth_sessions.models import Device
from auth_sessions.not_me import disown_login


class DeviceListView(ApiView):
    """``GET devices/``: in which browsers and apps have I signed in?"""

    answers = {"get": {200: page_of(DeviceShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of the caller's devices, newest first."""
        NoFilters.parse_query(request)
        places: dict[UUID, list[Place]] = {}
        current = _current_device(request)

        def gather(page: Sequence[Device]) -> None:
            places.update(devices.places_of(page))

        return page_response(
            request,
            Device.objects.of(request.user),
            lambda device: device_answer(device, current=current, places=places.get(device.pk, ())),
            gather=gather,
        )


class DeviceView(ApiView):
    """``devices/{id}/``: one of my devices; call it something else, forget it."""

    counts_changes = True
    bodies = {"patch": DeviceNameBody}
    answers = {"get": {200: DeviceShape}, "patch": {200: DeviceShape}, "delete": {204: None}}

    def get(self, request: Request, device_id: UUID) -> Response:
        """Return it; somebody else's is not found."""
        return _shown(request, _own(request, device_id))

    def patch(self, request: Request, device_id: UUID) -> Response:
        """Return it under its new name."""
        body = DeviceNameBody.parse(request)
        device = _own(request, device_id)
        if not devices.rename_device(device=device, name=body.name):
            raise NotFound
        return _shown(request, device)

    def delete(self, request: Request, device_id: UUID) -> Response:
        """Forget it, and end its sessions; the next login in it is one in a new device."""
        if not devices.forget_device(device=_own(request, device_id)):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeviceBlockView(ApiView):
    """``devices/{id}/block/``: sign in with it no more; or again."""

    counts_changes = True
    bodies = {"post": NoBody}
    answers = {"post": {204: None}, "delete": {204: None}}

    def post(self, request: Request, device_id: UUID) -> Response:
        """Block it, and end its sessions; one that is blocked stays so."""
        NoBody.parse(request)
        devices.block_device(device=_own(request, device_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def delete(self, request: Request, device_id: UUID) -> Response:
        """Let it be signed in with again."""
        devices.unblock_device(device=_own(request, device_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class NotMeView(AnonymousApiView):
    """``POST devices/not-me/``: the login that the mail tells of was not mine."""

    bodies = {"post": NotMeBody}
    answers = {"post": {200: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 200: all sessions are over, the account is locked until its password is reset; nobody is signed in."""
        body = NotMeBody.parse(request)
        disown_login(token=body.token, client=client_of(request))
        return Response({"status": "account_locked"})


def _own(request: Request, device_id: UUID) -> Device:
    device = devices.own_device(user=request.user, device_id=device_id)
    if device is None:
        raise NotFound
    return device


def _shown(request: Request, device: Device) -> Response:
    places = devices.places_of([device]).get(device.pk, ())
    return Response(device_answer(device, current=_current_device(request), places=places))


def _current_device(request: Request) -> UUID | None:
    session = session_of(request)
    return None if session is None else devices.device_id_of(session.id)
