"""Doubles for the three slots of a login, so that every outcome can be reached without a sibling."""

from collections.abc import Mapping
from typing import Any, ClassVar

from auth_core.assurance.evidence import Evidence, Method
from auth_core.assurance.levels import Assessment
from auth_core.contracts import Challenge, Choice, Grant, LimitReached
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest
from auth_core.login.django_session import OpenDjangoSession
from auth_core.models import PendingLogin
from auth_core.request.client import Client

RIGHT_CODE = "314159"


class CodeStep:
    """A second factor that everybody has: the code is `RIGHT_CODE`."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether no code was proved yet."""
        return all(piece.method is not Method.TOTP for piece in login.evidence)

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the code; there are two devices to choose from."""
        choices = (Choice("phone", "totp", "Phone"), Choice("tablet", "totp", "Tablet"))
        if choice is not None and choice not in {known.id for known in choices}:
            raise InvalidRequest(FieldError("choice", "unknown", "There is no such factor."))
        return Challenge(kind="code", method="totp", choice=choice or "phone", choices=choices)

    def question(self, login: PendingLogin) -> Challenge:
        """Ask again."""
        return self.challenge(login, None)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Compare the code; a login of nobody fails after the same comparison."""
        if not isinstance(answer.get("code"), str):
            raise InvalidRequest(FieldError("answer.code", "required", "The code is missing."))
        if answer["code"] != RIGHT_CODE or login.user is None:
            raise ChallengeFailed
        return Evidence.now(Method.TOTP, credential="phone")


class NameStep:
    """A duty: whoever has no display name gives one; it proves nothing."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Ask the database whether there is a name."""
        user = login.user
        return user is not None and not type(user).objects.exclude(display_name="").filter(pk=user.pk).exists()

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the name."""
        return Challenge(kind="name")

    def question(self, login: PendingLogin) -> Challenge:
        """Ask again."""
        return self.challenge(login, None)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Settle the duty."""
        user: Any = login.user
        user.display_name = answer["name"]
        user.save(update_fields=["display_name"])
        return None


class NarrowIssuer(OpenDjangoSession):
    """Has no room for a session until `RoomStep` has made some."""

    is_full: ClassVar[bool] = False
    asked: ClassVar[bool] = False

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Open a session, then find that it is one too many."""
        grant = super().issue(login, client)
        if type(self).is_full:
            NarrowIssuer.asked = True
            raise LimitReached
        return grant


class RoomStep:
    """Asks which session to end, once `NarrowIssuer` had no room."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether there was no room."""
        return NarrowIssuer.asked

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask."""
        return Challenge(kind="session_limit")

    def question(self, login: PendingLogin) -> Challenge:
        """Ask again."""
        return self.challenge(login, None)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Make room."""
        NarrowIssuer.is_full = NarrowIssuer.asked = False
        return None


class SetAssessor:
    """Assesses every login as `assessment` says."""

    assessment: ClassVar[Assessment] = Assessment()

    def assess(self, user: Any, client: Client) -> Assessment:
        """Return what the test set."""
        return type(self).assessment
