"""The password step: a step-up asks for the password again."""

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

#: The kind of challenge of `Password`. The answer is ``{"password": "…"}``.
KIND = "password"


class Password:
    """Asks for the password in a step-up, if the person has one and has not proved it recently."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Return whether the password is still to be proved. A login begins with it, or with a stronger method."""
        if login.purpose != Purpose.STEP_UP or login.user is None:
            return False
        is_proved = any(proof.method is Method.PASSWORD for proof in login.evidence)
        return not is_proved and login.user.has_usable_password()

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Challenge for the password.

        Raises:
            InvalidRequest: there is nothing to choose.
        """
        if choice is not None:
            raise InvalidRequest(FieldError("choice", "unknown", _("There is no other option to choose.")))
        return self.question(login)

    def question(self, login: PendingLogin) -> Challenge:
        """Return the challenge again."""
        return Challenge(kind=KIND, method=Method.PASSWORD.value)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Return the evidence of a correct password.

        The guess is charged to the budget of the password change, before the password is checked. A thief of a session
        gets no more guesses here than there, however many step-ups they begin.

        Raises:
            InvalidRequest: the answer has no password or other fields.
            TooManyAttempts: the limit of guesses for this person's password is reached.
            ChallengeFailed: the password is wrong.
            Unavailable: too many passwords are being hashed. This one was not checked.
        """
        password = _password_in(answer)
        person = login.person
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
        raise InvalidRequest(FieldError("answer.password", "invalid", _("Enter only your password.")))
    policy.check_shape(password, field="answer.password")
    return password
