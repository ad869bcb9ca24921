"""Test doubles for the three plug-in slots of a login. They reach every outcome without another package."""

from collections.abc import Mapping
from typing import Any, ClassVar

from auth_core.assurance.evidence import Evidence, Method
from auth_core.assurance.levels import Assessment
from auth_core.contracts import Challenge, Choice, Grant, LimitReached
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest
from auth_core.login.django_session import OpenDjangoSession
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.users import UserLike

RIGHT_CODE = "314159"


class CodeStep:
    """A second factor for every user. Its code is `RIGHT_CODE`."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Return whether no code was proved yet."""
        return all(evidence.method is not Method.TOTP for evidence in login.evidence)

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the code of one of two devices."""
        choices = (Choice("phone", "totp", "Phone"), Choice("tablet", "totp", "Tablet"))
        if choice is not None and choice not in {option.id for option in choices}:
            raise InvalidRequest(FieldError("choice", "unknown", "There is no such factor."))
        return Challenge(kind="code", method="totp", choice=choice or "phone", choices=choices)

    def question(self, login: PendingLogin) -> Challenge:
        """Return the current challenge."""
        return self.challenge(login, None)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Compare the code. A login without a user fails after the same comparison."""
        if not isinstance(answer.get("code"), str):
            raise InvalidRequest(FieldError("answer.code", "required", "The code is missing."))
        if answer["code"] != RIGHT_CODE or login.user is None:
            raise ChallengeFailed
        return Evidence.now(Method.TOTP, credential="phone")


class NameStep:
    """A duty that proves nothing: a user without a display name must enter one."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Ask the database whether the user has no name."""
        user = login.user
        return user is not None and not type(user).objects.exclude(display_name="").filter(pk=user.pk).exists()

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the name."""
        return Challenge(kind="name")

    def question(self, login: PendingLogin) -> Challenge:
        """Return the current challenge."""
        return self.challenge(login, None)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Store the name."""
        user: Any = login.user
        user.display_name = answer["name"]
        user.save(update_fields=["display_name"])
        return None


class NarrowIssuer(OpenDjangoSession):
    """An issuer that refuses the session until `RoomStep` has made room."""

    is_full: ClassVar[bool] = False
    has_refused: ClassVar[bool] = False

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Open a session, then refuse it as one too many."""
        grant = super().issue(login, client)
        if type(self).is_full:
            NarrowIssuer.has_refused = True
            raise LimitReached
        return grant


class RoomStep:
    """A step that asks which session to end after `NarrowIssuer` refused one."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Return whether the issuer refused a session."""
        return NarrowIssuer.has_refused

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask which session to end."""
        return Challenge(kind="session_limit")

    def question(self, login: PendingLogin) -> Challenge:
        """Return the current challenge."""
        return self.challenge(login, None)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Make room."""
        NarrowIssuer.is_full = NarrowIssuer.has_refused = False
        return None


class SetAssessor:
    """A risk assessor that returns `assessment` for every login."""

    assessment: ClassVar[Assessment] = Assessment()

    def assess(self, user: UserLike, client: Client) -> Assessment:
        """Return the assessment that the test set."""
        return type(self).assessment
