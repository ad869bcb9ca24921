"""The enrolment that policy demands inside a login, of somebody who never had a second factor.

The login has proved the password and the mailbox by now: nothing is shown to whoever
knows the password alone.
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

#: What the challenges are called; the answer to each is that of the factor which is added.
KIND = "enrolment"
PASSKEY_KIND = "enrolment_passkey"

#: The kinds that can be added here, by the id of their choice; an app works without scripts, and is shown first.
_ADDED = (Method.TOTP, Method.PASSKEY)

#: What a factor may be called: no database keeps half a surrogate pair, and PostgreSQL no NUL.
_NAME = Pattern(r"[^\x00\ud800-\udfff]{0,64}", at_most=64)


def challenge(login: PendingLogin, choice: str | None) -> Challenge:
    """Begin the factor that was chosen, or the first there is.

    Raises:
        InvalidRequest: *choice* is none of the ways there are.
        MoreProofRequired: what policy counts can be added by an administrator alone.
    """
    ways = _ways()
    if not ways:
        raise MoreProofRequired
    if choice is not None and choice not in {way.value for way in ways}:
        raise InvalidRequest(FieldError("choice", "unknown", _("There is no such factor.")))
    # What is kept in the login is written last: both ways here lock the person before the login's row.
    if (_chosen(login) if choice is None else choice) == Method.PASSKEY:
        registration = passkeys.begin_registration(user=login.user, occasion=login.pk)
        login.remember_choice(Method.PASSKEY.value)
        return _passkey(registration)
    begun = enrolment.begin_totp(user=login.user, name="")
    login.remember_choice(str(begun.factor.pk))
    return _app(begun)


def question(login: PendingLogin) -> Challenge:
    """Show the same again; of what was given up meanwhile, nothing."""
    chosen = _chosen(login)
    if chosen is Method.PASSKEY:
        try:
            return _passkey(passkeys.begun_registration(user=login.user, occasion=login.pk))
        except NotFound:
            return _challenge(PASSKEY_KIND, chosen, {})
    begun = _begun_app(login)
    return _challenge(KIND, chosen, {}) if begun is None else _app(begun)


def answer(login: PendingLogin, answer: Mapping[str, Any]) -> Evidence:
    """Let the factor count, once the answer proves it; return the evidence of that proof.

    A code is spent with it: without the evidence the login would ask for the next one,
    half a minute later (decision record 0011).

    Raises:
        InvalidRequest: the answer has not the shape of the kind.
        ChallengeFailed: it is wrong, or nothing is begun any more.
    """
    client = current().client or Client()
    return _add_passkey(login, answer, client) if _chosen(login) is Method.PASSKEY else _add_app(login, answer, client)


def _ways() -> list[Method]:
    return [method for method in _ADDED if is_offered(method) and is_counted(method)]


def _chosen(login: PendingLogin) -> Method:
    """Return what the person chose to add, or the first there is."""
    ways = _ways()
    return next((way for way in ways if way.value == login.choice), ways[0] if ways else Method.TOTP)


def _begun_app(login: PendingLogin) -> enrolment.Enrolment | None:
    """Return the app that this very login has begun; what was begun elsewhere is nobody's to confirm here.

    A thief of the password who is in a session could begin one of theirs, and have its key
    shown to the owner, who would take it for their own.
    """
    try:
        return enrolment.begun_enrolment(user=login.user, factor_id=UUID(login.choice))
    except (ValueError, NotFound):
        return None


def _add_app(login: PendingLogin, answer: Mapping[str, Any], client: Client) -> Evidence:
    code = code_in(answer)
    begun = _begun_app(login)
    if begun is None:
        raise ChallengeFailed
    factor = enrolment.confirm_totp(user=login.user, factor_id=begun.factor.pk, code=code, client=client)
    return Evidence.now(Method.TOTP, credential=str(factor.pk))


def _add_passkey(login: PendingLogin, answer: Mapping[str, Any], client: Client) -> Evidence:
    refuse_others(answer, "credential", "name", field="answer")
    name = answer.get("name") or ""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequest(FieldError("answer.name", "invalid", _("Enter a name of 64 characters at most.")))
    try:
        begun = passkeys.begun_registration(user=login.user, occasion=login.pk)
        factor = passkeys.confirm_registration(
            user=login.user,
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


def _app(begun: enrolment.Enrolment) -> Challenge:
    data = {"digits": DIGITS, "secret": begun.secret, "uri": begun.uri, "qr_svg": begun.qr_svg}
    return _challenge(KIND, Method.TOTP, data)


def _passkey(begun: passkeys.Registration) -> Challenge:
    return _challenge(PASSKEY_KIND, Method.PASSKEY, {"options": begun.options})


def _challenge(kind: str, method: Method, data: Mapping[str, Any]) -> Challenge:
    labels = {Method.TOTP: _("Authenticator app"), Method.PASSKEY: _("Passkey or security key")}
    choices = [Choice(way.value, way.value, labels[way]) for way in _ways()]
    return Challenge(kind=kind, method=method.value, choice=method.value, data=data, choices=choices)
