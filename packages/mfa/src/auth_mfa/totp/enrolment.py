"""Enrolment of authenticator apps, confirmed by a first code."""

from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.methods import Method
from auth_core.errors import ChallengeFailed, NotFound
from auth_core.people.lookup import profile_of
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa import oath
from auth_mfa.conf import mfa
from auth_mfa.enrolment import let_count, make_room, record_begin, record_failure, refuse_unoffered
from auth_mfa.models import TotpFactor
from auth_mfa.totp.qr import svg_of


@dataclass(frozen=True, slots=True)
class Enrolment:
    """The key of a new app, in the forms that are shown.

    Args:
        factor: The unconfirmed factor.
        secret: The key in Base32, to type.
        uri: The ``otpauth://`` URI, to open on the same device.
        qr_svg: The same URI as a QR code.
    """

    factor: TotpFactor
    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr_svg: str = field(repr=False)


def begin_totp(*, user: UserLike, name: str) -> Enrolment:
    """Begin to add an app with *name*. Earlier unconfirmed apps are deleted.

    The caller has checked for a fresh proof (`factors.check_fresh_proof`).

    Raises:
        InvalidRequest: this site does not offer authenticator apps.
        Conflict: the user has the maximum number of apps.
    """
    refuse_unoffered(Method.TOTP)
    key = oath.new_key()
    with transaction.atomic():
        make_room(user=user, model=TotpFactor)
        factor = TotpFactor.objects.create(
            user_id=user.pk, name=name or _("Authenticator app"), seed=oath.to_base32(key)
        )
        record_begin(factor, user)
    return _enrolment(factor, key, user)


def begun_enrolment(*, user: UserLike, factor_id: UUID) -> Enrolment:
    """Return an unconfirmed enrolment of *user*, to show it again.

    Raises:
        NotFound: there is no such enrolment, or it ended.
    """
    factor = _begun(user, factor_id)
    return _enrolment(factor, factor.key, user)


def confirm_totp(*, user: UserLike, factor_id: UUID, code: str, client: Client) -> TotpFactor:
    """Confirm an app with a *code*, and spend the code's time step.

    Raises:
        NotFound: *user* has no such enrolment, or it was confirmed or deleted meanwhile.
        TooManyAttempts: too many wrong answers for this user.
        ChallengeFailed: the code is wrong.
    """
    factor = _begun(user, factor_id)
    guess = limits.charge("answer", person=str(user.pk), client=client)
    step = factor.step_of(code)
    if step is None:
        record_failure(factor=factor, user=user, client=client)
        raise ChallengeFailed
    guess.refund()
    with transaction.atomic(durable=True):
        let_count(factor=factor, user=user, client=client, last_step=step)
    factor.refresh_from_db()
    return factor


def _begun(user: UserLike, factor_id: UUID) -> TotpFactor:
    factor: TotpFactor | None = TotpFactor.objects.begun_by(user).filter(pk=factor_id).first()
    if factor is None:
        raise NotFound
    return factor


def _enrolment(factor: TotpFactor, key: bytes, user: UserLike) -> Enrolment:
    account = profile_of(user)["email"] or user.get_username()
    uri = oath.otpauth_uri(key, issuer=mfa.issuer, account=account)
    return Enrolment(factor=factor, secret=oath.to_base32(key), uri=uri, qr_svg=svg_of(uri))
