"""The pages that list, end, rename, forget and block sessions and devices."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.login.browser import leave_session
from auth_core.pages.base import AccountPage, see_other, show
from auth_core.pages.forms import PageForm
from auth_sessions import devices, lifecycle
from auth_sessions.models import Device, Session
from auth_sessions.pages.forms import DeviceNameForm
from auth_sessions.user_agents import listed_names

#: Maximum number of sessions and of devices on the page. The API lists all.
_SHOWN = 50

#: Labels of devices of which only the kind is known.
_KINDS: Mapping[str, Any] = {
    "desktop": _("Computer"),
    "mobile": _("Phone"),
    "tablet": _("Tablet"),
    "app": _("App"),
    "bot": _("Program"),
}

_BACK = [(_("Back"), "sessions-pages:sessions")]


class SessionsPage(AccountPage):
    """``/account/sessions/``: the user's sessions and devices."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """List sessions and devices, the most recently used first."""
        opened = list(Session.objects.of(request.user).live().order_by("-last_seen_at", "-pk")[:_SHOWN])
        shown = list(Device.objects.of(request.user).order_by("-last_seen_at", "-pk")[:_SHOWN])
        opened_in, origins, current = devices.devices_of(opened), devices.origins_of(shown), _current_id(request)
        current_device = next((session.device_id for session in opened if session.pk == current), None)
        context = {
            "sessions": [_session_row(session, opened_in, is_current=session.pk == current) for session in opened],
            "devices": [
                {"device": device, "label": label_of(device), "places": origins.get(device.pk, ())[:3],
                 "is_current": device.pk == current_device}
                for device in shown
            ],
            "has_others": len(opened) > 1,
            "shown": _SHOWN,
            "is_cut": _SHOWN in (len(opened), len(shown)),
        }  # fmt: skip
        return show(request, "auth_sessions/sessions.html", context)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the list. This page has no form."""
        return see_other("sessions-pages:sessions")


class ConfirmPage(AccountPage):
    """Asks for confirmation before a change. Ending the current session signs the user out."""

    links = _BACK
    done: ClassVar[Any] = ""

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Ask for confirmation, and name the object."""
        about = self.about(request)
        lead = f"{about}. {self.lead}" if about else self.lead
        return super().show(request, form, status=status, lead=lead, is_danger=True, **context)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Make the change, and redirect to the list or the logged-out page."""
        current = _current_id(request)
        self.change(request)
        if current is not None and not Session.objects.unended().filter(pk=current).exists():
            leave_session(request, request.user)
            return see_other("core-pages:logged-out")
        messages.success(request, self.done, fail_silently=True)
        return see_other("sessions-pages:sessions")

    def about(self, request: HttpRequest) -> str:
        """Return the name of the object.

        Raises:
            Http404: it does not exist or belongs to another user.
        """
        return ""

    def change(self, request: HttpRequest) -> None:
        """Make the change.

        Raises:
            Http404: the object does not exist or belongs to another user.
        """
        raise NotImplementedError


class EndSessionPage(ConfirmPage):
    """``/account/sessions/{id}/end/``."""

    title, button = _("End this session?"), _("End session")
    lead = _("It is signed out immediately.")
    done = _("The session was ended.")

    def about(self, request: HttpRequest) -> str:
        """Return device and IP address of the session."""
        live = Session.objects.of(request.user).live()
        session: Session | None = live.filter(pk=self.kwargs["session_id"]).first()
        if session is None:
            raise Http404
        device = devices.own_device(user=request.user, device_id=session.device_id)
        return ", ".join(filter(None, (label_of(device), session.ip)))

    def change(self, request: HttpRequest) -> None:
        """End the session."""
        if not lifecycle.end_session(session_id=self.kwargs["session_id"], user=request.user, reason="revoked"):
            raise Http404


class EndOthersPage(ConfirmPage):
    """``/account/sessions/end-others/``."""

    title, button = _("Sign out everywhere else?"), _("Sign out everywhere else")
    lead = _("All sessions except this one end.")
    done = _("All other sessions were ended.")

    def change(self, request: HttpRequest) -> None:
        """End all sessions except this one."""
        lifecycle.end_other_sessions(user=request.user, keep=_current_id(request), reason="revoked")


class EndAllPage(ConfirmPage):
    """``/account/sessions/end-all/``."""

    title, button = _("Sign out everywhere?"), _("Sign out everywhere")
    lead = _("All sessions end, including this one.")

    def change(self, request: HttpRequest) -> None:
        """End all sessions."""
        lifecycle.end_all_sessions(user=request.user, reason="revoked")


class RenameDevicePage(AccountPage):
    """``/account/devices/{id}/``: rename a device."""

    form_class = DeviceNameForm
    title, button = _("Rename device"), _("Save")
    links = _BACK

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the current name."""
        return self.show(request, DeviceNameForm(initial={"name": _own_device(request, self.kwargs["device_id"]).name}))

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Save the new name."""
        device = _own_device(request, self.kwargs["device_id"])
        devices.rename_device(device=device, name=form.cleaned_data["name"])
        messages.success(request, _("The name was saved."), fail_silently=True)
        return see_other("sessions-pages:sessions")


class DevicePage(ConfirmPage):
    """Asks for confirmation before a device is changed."""

    #: The function that makes the change.
    verb: ClassVar[Callable[..., bool]]

    def about(self, request: HttpRequest) -> str:
        """Return the name of the device."""
        return label_of(_own_device(request, self.kwargs["device_id"]))

    def change(self, request: HttpRequest) -> None:
        """Make the change. It has no effect if it was already made."""
        type(self).verb(device=_own_device(request, self.kwargs["device_id"]))


class ForgetDevicePage(DevicePage):
    """``/account/devices/{id}/forget/``."""

    title, button = _("Forget this device?"), _("Forget device")
    lead = _("Its sessions end. You get an email the next time someone signs in with it.")
    done = _("The device was forgotten.")
    verb = devices.forget_device


class BlockDevicePage(DevicePage):
    """``/account/devices/{id}/block/``."""

    title, button = _("Block this device?"), _("Block device")
    lead = _("Its sessions end. It cannot be used to sign in to your account until you unblock it.")
    done = _("The device was blocked.")
    verb = devices.block_device


class UnblockDevicePage(DevicePage):
    """``/account/devices/{id}/unblock/``."""

    title, button = _("Unblock this device?"), _("Unblock device")
    lead = _("It can be used to sign in again.")
    done = _("The device was unblocked.")
    verb = devices.unblock_device


def label_of(device: Device | None) -> str:
    """Return the label of a device: its name, or its description."""
    if device is None:
        return str(_("Unknown device"))
    return device.name or listed_names(device.browser, device.os) or _kind_of(device)


def _kind_of(device: Device) -> str:
    return str(_KINDS.get(device.kind, _("Unknown device")))


def _session_row(session: Session, opened_in: Mapping[UUID, Device], *, is_current: bool) -> dict[str, Any]:
    device = opened_in.get(session.device_id) if session.device_id else None
    return {"session": session, "label": label_of(device), "is_current": is_current}


def _own_device(request: HttpRequest, device_id: UUID) -> Device:
    device = devices.own_device(user=request.user, device_id=device_id)
    if device is None:
        raise Http404
    return device


def _current_id(request: HttpRequest) -> UUID | None:
    session = session_of(request)
    return session.id if session else None
