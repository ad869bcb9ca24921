"""Views of devices."""

from collections.abc import Sequence
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import DoneShape, page_of
from auth_core.api.bodies import NoBody, NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import AnonymousApiView, ApiView, or_not_found
from auth_core.assurance.evidence import session_of
from auth_core.errors import NotFound
from auth_core.request.client import client_of
from auth_sessions import devices
from auth_sessions.api.answers import DeviceShape, device_answer
from auth_sessions.api.bodies import DeviceNameBody, NotMeBody
from auth_sessions.devices import SessionOrigin
from auth_sessions.models import Device
from auth_sessions.not_me import revoke_by_link


class DeviceListView(ApiView):
    """``GET devices/``: list my devices."""

    answers = {"get": {200: page_of(DeviceShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of the caller's devices, newest first."""
        NoFilters.parse_query(request)
        origins: dict[UUID, list[SessionOrigin]] = {}
        current = _current_device(request)

        def gather(page: Sequence[Device]) -> None:
            origins.update(devices.origins_of(page))

        return page_response(
            request,
            Device.objects.of(request.user),
            lambda device: device_answer(device, current=current, origins=origins.get(device.pk, ())),
            gather=gather,
        )


class DeviceView(ApiView):
    """``devices/{id}/``: show, rename or forget one of my devices."""

    counts_changes = True
    bodies = {"patch": DeviceNameBody}
    answers = {"get": {200: DeviceShape}, "patch": {200: DeviceShape}, "delete": {204: None}}

    def get(self, request: Request, device_id: UUID) -> Response:
        """Return the device. Another user's device is not found."""
        return _device_response(request, _own_device(request, device_id))

    def patch(self, request: Request, device_id: UUID) -> Response:
        """Rename the device and return it."""
        body = DeviceNameBody.parse(request)
        device = _own_device(request, device_id)
        if not devices.rename_device(device=device, name=body.name):
            raise NotFound
        return _device_response(request, device)

    def delete(self, request: Request, device_id: UUID) -> Response:
        """Forget the device and end its sessions. The next login in it counts as one in a new device."""
        if not devices.forget_device(device=_own_device(request, device_id)):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeviceBlockView(ApiView):
    """``devices/{id}/block/``: block or unblock one of my devices."""

    counts_changes = True
    bodies = {"post": NoBody}
    answers = {"post": {204: None}, "delete": {204: None}}

    def post(self, request: Request, device_id: UUID) -> Response:
        """Block the device and end its sessions. A blocked device stays blocked."""
        NoBody.parse(request)
        devices.block_device(device=_own_device(request, device_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def delete(self, request: Request, device_id: UUID) -> Response:
        """Unblock the device."""
        devices.unblock_device(device=_own_device(request, device_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


class NotMeView(AnonymousApiView):
    """``POST devices/not-me/``: report the login in the mail as not mine."""

    bodies = {"post": NotMeBody}
    answers = {"post": {200: DoneShape}}

    def post(self, request: Request) -> Response:
        """End all sessions, and lock the account until its password is reset. No one is signed in."""
        body = NotMeBody.parse(request)
        revoke_by_link(token=body.token, client=client_of(request))
        return Response({"status": "account_locked"})


def _own_device(request: Request, device_id: UUID) -> Device:
    return or_not_found(devices.own_device(user=request.user, device_id=device_id))


def _device_response(request: Request, device: Device) -> Response:
    origins = devices.origins_of([device]).get(device.pk, ())
    return Response(device_answer(device, current=_current_device(request), origins=origins))


def _current_device(request: Request) -> UUID | None:
    session = session_of(request)
    return None if session is None else devices.device_id_of(session.id)
