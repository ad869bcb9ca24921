"""Whether what a token rests on still stands: the authorization, the application, the person, and who acts for them.

`auth_core.people.admission` decides about people and applications, here as at every login.
"""

from uuid import UUID

from auth_core.assurance.levels import Assurance
from auth_core.oauth.clients.registry import RegisteredApplication, may_use, served
from auth_core.oauth.models import Authorization
from auth_core.people.admission import NotAdmitted, admit

#: Reasons that end an authorization for good. The function that disables an application ends what people gave to it.
_LASTING = frozenset({"unknown", "disabled", "locked", "actor", "group"})


def why_not_admitted(authorization: Authorization, application: RegisteredApplication) -> str:
    """Return why *application* gets nothing for *authorization* now. Empty if it does. For the trail, never for the caller."""
    if refusal := authorization.refusal:
        return refusal
    try:
        with served(application):
            admit(authorization.user, application=application.id, actor=authorization.actor_id)
    except NotAdmitted as refused:
        return refused.reason.value
    if not _is_proved(authorization, application):
        return "assurance"
    return "" if may_use(authorization.user, application) else "group"


def is_admitted(authorization: Authorization, application_id: UUID | None, *, is_application_active: bool) -> bool:
    """Return whether *authorization* is live and its person admitted, if its application is active.

    Args:
        is_application_active: As the statement that read the authorization says. It saves another one.
    """
    if application_id is None or not is_application_active or authorization.refusal:
        return False
    try:
        admit(authorization.user, actor=authorization.actor_id)
    except NotAdmitted:
        return False
    return True


def _is_proved(authorization: Authorization, application: RegisteredApplication) -> bool:
    """Return whether what was proved still is enough. The application may require more than it did at that time."""
    levels = {level.acr: level for level in Assurance}
    needed = levels.get(application.required_assurance, Assurance.NONE)
    return levels.get(authorization.acr, Assurance.NONE) >= needed


def is_lasting(reason: str) -> bool:
    """Return whether *reason* ends the authorization, and does not only refuse this request."""
    return reason in _LASTING
