"""The enrolment that policy demands inside a login of a user who never had a second factor.

The login has already proved the password and the mailbox, so a thief of the password
alone sees nothing.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Challenge, Choice
from auth_core.errors import ChallengeFailed, Conflict, FieldError, InvalidRequest, MoreProofRequired, NotFound
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_core.text import Pattern
from auth_mfa.codes import code_in, refuse_others
from auth_mfa.oath import DIGITS
from auth_mfa.policy import is_counted, is_offered
from auth_mfa.totp import enrolment
from auth_mfa.webauthn import passkeys
from auth_mfa.webauthn.assertion import evidence_of

#: Names of the challenges. The answer has the shape of the factor that is added.
KIND = "enrolment"
PASSKEY_KIND = "enrolment_passkey"

#: The methods that can be added here. An app works without scripts and comes first.
_METHODS = (Method.TOTP, Method.PASSKEY)

#: Valid names. Databases do not store lone surrogates, and PostgreSQL stores no NUL.
_NAME = Pattern(r"[^\x00\ud800-\udfff]{0,64}", at_most=64)


def challenge(login: PendingLogin, choice: str | None) -> Challenge:
    """Begin to add the chosen method, or the first available one.

    Raises:
        InvalidRequest: *choice* is not one of the choices.
        MoreProofRequired: only an administrator can add a method that policy counts.
    """
    methods = _available_methods()
    if not methods:
        raise MoreProofRequired
    if choice is not None and choice not in {method.value for method in methods}:
        raise InvalidRequest(FieldError("choice", "unknown", _("This option is not available.")))
    # The login's row is written last. Both branches lock the user's history first.
    if (_chosen(login) if choice is None else choice) == Method.PASSKEY:
        registration = passkeys.begin_registration(user=login.person, occasion=login.pk)
        login.remember_choice(Method.PASSKEY.value)
        return _passkey_challenge(registration)
    begun = enrolment.begin_totp(user=login.person, name="")
    login.remember_choice(str(begun.factor.pk))
    return _app_challenge(begun)


def question(login: PendingLogin) -> Challenge:
    """Return the same challenge again, without data if the enrolment ended meanwhile."""
    chosen = _chosen(login)
    if chosen is Method.PASSKEY:
        try:
            return _passkey_challenge(passkeys.begun_registration(user=login.person, occasion=login.pk))
        except NotFound:
            return _challenge(PASSKEY_KIND, chosen, {})
    begun = _begun_app(login)
    return _challenge(KIND, chosen, {}) if begun is None else _app_challenge(begun)


def answer(login: PendingLogin, answer: Mapping[str, Any]) -> Evidence:
    """Confirm the factor that the answer proves, and return the evidence of the proof.

    The code is spent with it. Without the evidence the login would ask for the next code,
    half a minute later (decision record 0011).

    Raises:
        InvalidRequest: the answer does not have the shape of the kind.
        ChallengeFailed: the answer is wrong, or the enrolment ended.
    """
    client = current().client or Client()
    return _add_passkey(login, answer, client) if _chosen(login) is Method.PASSKEY else _add_app(login, answer, client)


def _available_methods() -> list[Method]:
    return [method for method in _METHODS if is_offered(method) and is_counted(method)]


def _chosen(login: PendingLogin) -> Method:
    """Return the method that the user chose to add, or the first available one."""
    methods = _available_methods()
    first = methods[0] if methods else Method.TOTP
    return next((method for method in methods if method.value == login.choice), first)


def _begun_app(login: PendingLogin) -> enrolment.Enrolment | None:
    """Return the app that this login has begun, or ``None``. Apps begun elsewhere cannot be confirmed here.

    A thief with a session could begin an app of their own, and this login would show its
    key to the owner as if it were the owner's.
    """
    try:
        return enrolment.begun_enrolment(user=login.person, factor_id=UUID(login.choice))
    except (ValueError, NotFound):
        return None


def _add_app(login: PendingLogin, answer: Mapping[str, Any], client: Client) -> Evidence:
    code = code_in(answer)
    begun = _begun_app(login)
    if begun is None:
        raise ChallengeFailed
    factor = enrolment.confirm_totp(user=login.person, factor_id=begun.factor.pk, code=code, client=client)
    return Evidence.now(Method.TOTP, credential=str(factor.pk))


def _add_passkey(login: PendingLogin, answer: Mapping[str, Any], client: Client) -> Evidence:
    refuse_others(answer, "credential", "name", field="answer")
    name = answer.get("name") or ""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequest(FieldError("answer.name", "invalid", _("Enter a name of at most 64 characters.")))
    try:
        begun = passkeys.begun_registration(user=login.person, occasion=login.pk)
        factor = passkeys.confirm_registration(
            user=login.person,
            registration_id=begun.id,
            occasion=login.pk,
            credential=answer.get("credential"),
            name=name,
            client=client,
            must_count=True,
        )
    except (NotFound, Conflict):
        raise ChallengeFailed from None
    return evidence_of(factor, user_verified=factor.user_verified)


def _app_challenge(begun: enrolment.Enrolment) -> Challenge:
    data = {"digits": DIGITS, "secret": begun.secret, "uri": begun.uri, "qr_svg": begun.qr_svg}
    return _challenge(KIND, Method.TOTP, data)


def _passkey_challenge(begun: passkeys.Registration) -> Challenge:
    return _challenge(PASSKEY_KIND, Method.PASSKEY, {"options": begun.options})


def _challenge(kind: str, method: Method, data: Mapping[str, Any]) -> Challenge:
    labels = {Method.TOTP: _("Authenticator app"), Method.PASSKEY: _("Passkey or security key")}
    choices = [Choice(each.value, each.value, labels[each]) for each in _available_methods()]
    return Challenge(kind=kind, method=method.value, choice=method.value, data=data, choices=choices)
