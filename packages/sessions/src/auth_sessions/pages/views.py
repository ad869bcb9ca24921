"""Where somebody is signed in and with what: to see, and to end."""

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

#: How many sessions, and how many devices, one page shows; the API shows all.
_SHOWN = 50

#: What a device is called that says nothing but its kind.
_KINDS: Mapping[str, Any] = {
    "desktop": _("Computer"),
    "mobile": _("Phone"),
    "tablet": _("Tablet"),
    "app": _("App"),
    "bot": _("Program"),
}

_BACK = [(_("Back"), "sessions-pages:sessions")]


class SessionsPage(AccountPage):
    """``/account/sessions/``: sessions and devices, with place and time."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """List both, what was used last first."""
        opened = list(Session.objects.of(request.user).live().order_by("-last_seen_at", "-pk")[:_SHOWN])
        seen = list(Device.objects.of(request.user).order_by("-last_seen_at", "-pk")[:_SHOWN])
        opened_in, places, current = devices.devices_of(opened), devices.places_of(seen), _current_id(request)
        here = next((session.device_id for session in opened if session.pk == current), None)
        told = {
            "sessions": [_session_row(session, opened_in, is_current=session.pk == current) for session in opened],
            "devices": [
                {"device": device, "label": label_of(device), "places": places.get(device.pk, ())[:3],
                 "is_current": device.pk == here}
                for device in seen
            ],
            "has_others": len(opened) > 1,
            "shown": _SHOWN,
            "is_cut": _SHOWN in (len(opened), len(seen)),
        }  # fmt: skip
        return show(request, "auth_sessions/sessions.html", told)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Nothing is changed here."""
        return see_other("sessions-pages:sessions")


class ConfirmPage(AccountPage):
    """Asks once more before something ends; whoever ends the session they ask in is signed out."""

    links = _BACK
    done: ClassVar[Any] = ""

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Ask, and say what it is about."""
        about = self.about(request)
        lead = f"{about}. {self.lead}" if about else self.lead
        return super().show(request, form, status=status, lead=lead, is_danger=True, **context)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Do it, and go back to the list, or out."""
        current = _current_id(request)
        self.change(request)
        if current is not None and not Session.objects.unended().filter(pk=current).exists():
            leave_session(request, request.user)
            return see_other("pages:logged-out")
        messages.success(request, self.done, fail_silently=True)
        return see_other("sessions-pages:sessions")

    def about(self, request: HttpRequest) -> str:
        """Return what the page is about.

        Raises:
            Http404: there is no such thing, or it is not theirs.
        """
        return ""

    def change(self, request: HttpRequest) -> None:
        """Call the one function that does it.

        Raises:
            Http404: there is no such thing, or it is not theirs.
        """
        raise NotImplementedError


class EndSessionPage(ConfirmPage):
    """``/account/sessions/{id}/end/``."""

    title, button = _("End this session?"), _("End it")
    lead = _("Whoever uses it is signed out at once.")
    done = _("The session was ended.")

    def about(self, request: HttpRequest) -> str:
        """Return with what, and from where, it was opened."""
        live = Session.objects.of(request.user).live()
        session: Session | None = live.filter(pk=self.kwargs["session_id"]).first()
        if session is None:
            raise Http404
        device = devices.own_device(user=request.user, device_id=session.device_id)
        return ", ".join(filter(None, (label_of(device), session.ip)))

    def change(self, request: HttpRequest) -> None:
        """End it."""
        if not lifecycle.end_session(session_id=self.kwargs["session_id"], user=request.user, reason="revoked"):
            raise Http404


class EndOthersPage(ConfirmPage):
    """``/account/sessions/end-others/``."""

    title, button = _("Sign out everywhere else?"), _("Sign out everywhere else")
    lead = _("All sessions end but this one.")
    done = _("All other sessions were ended.")

    def change(self, request: HttpRequest) -> None:
        """End all but this one."""
        lifecycle.end_other_sessions(user=request.user, keep=_current_id(request), reason="revoked")


class EndAllPage(ConfirmPage):
    """``/account/sessions/end-all/``."""

    title, button = _("Sign out everywhere?"), _("Sign out everywhere")
    lead = _("All sessions end, and this one, too.")

    def change(self, request: HttpRequest) -> None:
        """End all."""
        lifecycle.end_all_sessions(user=request.user, reason="revoked")


class RenameDevicePage(AccountPage):
    """``/account/devices/{id}/``: what it is called."""

    form_class = DeviceNameForm
    title, button = _("Name this device"), _("Save")
    links = _BACK

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the name that it has."""
        return self.show(request, DeviceNameForm(initial={"name": _own(request, self.kwargs["device_id"]).name}))

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Call it something else."""
        device = _own(request, self.kwargs["device_id"])
        devices.rename_device(device=device, name=form.cleaned_data["name"])
        messages.success(request, _("The name was saved."), fail_silently=True)
        return see_other("sessions-pages:sessions")


class DevicePage(ConfirmPage):
    """A page that asks before something happens to a device."""

    #: What happens to it.
    verb: ClassVar[Callable[..., bool]]

    def about(self, request: HttpRequest) -> str:
        """Return what the device is called."""
        return label_of(_own(request, self.kwargs["device_id"]))

    def change(self, request: HttpRequest) -> None:
        """Do it; what somebody else did in the meantime is done."""
        type(self).verb(device=_own(request, self.kwargs["device_id"]))


class ForgetDevicePage(DevicePage):
    """``/account/devices/{id}/forget/``."""

    title, button = _("Forget this device?"), _("Forget it")
    lead = _("Its sessions end. The next time somebody signs in with it, you are told by mail.")
    done = _("The device was forgotten.")
    verb = devices.forget_device


class BlockDevicePage(DevicePage):
    """``/account/devices/{id}/block/``."""

    title, button = _("Block this device?"), _("Block it")
    lead = _("Its sessions end, and nobody signs in to your account with it until you unblock it.")
    done = _("The device was blocked.")
    verb = devices.block_device


class UnblockDevicePage(DevicePage):
    """``/account/devices/{id}/unblock/``."""

    title, button = _("Unblock this device?"), _("Unblock it")
    lead = _("Then it can be signed in with again.")
    done = _("The device was unblocked.")
    verb = devices.unblock_device


def label_of(device: Device | None) -> str:
    """Return what people read of a device: its name, else what it is."""
    if device is None:
        return str(_("Unknown device"))
    return device.name or listed_names(device.browser, device.os) or _kind_of(device)


def _kind_of(device: Device) -> str:
    return str(_KINDS.get(device.kind, _("Unknown device")))


def _session_row(session: Session, opened_in: Mapping[UUID, Device], *, is_current: bool) -> dict[str, Any]:
    device = opened_in.get(session.device_id) if session.device_id else None
    return {"session": session, "label": label_of(device), "is_current": is_current}


def _own(request: HttpRequest, device_id: UUID) -> Device:
    device = devices.own_device(user=request.user, device_id=device_id)
    if device is None:
        raise Http404
    return device


def _current_id(request: HttpRequest) -> UUID | None:
    session = session_of(request)
    return session.id if session else None
