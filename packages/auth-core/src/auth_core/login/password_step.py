"""The step of the core itself: the password, where a step-up asks for it again."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Challenge, Purpose
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest
from auth_core.models import PendingLogin
from auth_core.passwords import hashing, policy
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client

#: What `Password` asks; the answer is ``{"password": "…"}``.
KIND = "password"


class Password:
    """Asks in a step-up for the password of whoever has one and has not proved it lately."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether the password is still to be proved; a login begins with it, or with something better."""
        if login.purpose != Purpose.STEP_UP or login.user is None:
            return False
        is_proved = any(piece.method is Method.PASSWORD for piece in login.evidence)
        return not is_proved and login.user.has_usable_password()

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the password.

        Raises:
            InvalidRequest: there is nothing to choose.
        """
        if choice is not None:
            raise InvalidRequest(FieldError("choice", "unknown", _("There is nothing to choose.")))
        return self.question(login)

    def question(self, login: PendingLogin) -> Challenge:
        """Ask again."""
        return Challenge(kind=KIND, method=Method.PASSWORD.value)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Return the evidence of the right password.

        Paid for from the budget of the form that changes a password, before it is looked
        at: whoever holds a stolen session has no more guesses here than there, however
        many step-ups they begin.

        Raises:
            InvalidRequest: there is no password in the answer, or something beside it.
            TooManyAttempts: this person's password was guessed at too often.
            ChallengeFailed: it is wrong.
            Unavailable: too many passwords are hashed at this moment; nobody looked at this one.
        """
        password = _password_in(answer)
        person: Any = login.user
        guess = limits.charge("password", person=str(identity_of(person).pk), client=Client())
        with hashing.hash_slot_for(guess):
            is_right = hashing.verify(person, password)
        if not is_right:
            raise ChallengeFailed
        guess.refund()
        return Evidence.now(Method.PASSWORD)


def _password_in(answer: Mapping[str, Any]) -> str:
    password = answer.get("password")
    if set(answer) != {"password"} or not isinstance(password, str):
        raise InvalidRequest(FieldError("answer.password", "invalid", _("Enter your password, and nothing else.")))
    policy.check_shape(password, field="answer.password")
    return password
