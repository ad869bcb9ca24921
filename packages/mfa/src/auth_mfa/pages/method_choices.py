"""The methods that a user can add, with their strengths and weaknesses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth_core.assurance.methods import WEBAUTHN_METHODS, Method
from auth_core.users import UserLike
from auth_mfa.mailbox import mailbox_of
from auth_mfa.models import EmailFactor, Factor
from auth_mfa.policy import Requirement, is_counted, is_offered, requirement_of


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """One method that can be added.

    Args:
        url_name: The page on which the enrolment begins.
        lead: What the method protects against, and what it does not.
    """

    method: Method
    url_name: str
    label: Any
    lead: Any


#: Phishing-resistant methods come first, and weak ones say so (ASVS 6.6.1, SP 800-63B-4 section 3.1.3.3).
_CHOICES = (
    MethodChoice(
        Method.PASSKEY,
        "mfa-pages:passkey-add",
        gettext_lazy("Add a passkey or security key"),
        gettext_lazy("The most secure option. It works only on this site, so phishing sites cannot use it."),
    ),
    MethodChoice(
        Method.TOTP,
        "mfa-pages:add",
        gettext_lazy("Add an authenticator app"),
        gettext_lazy("An app on your phone or your password manager shows a new code every 30 seconds."),
    ),
    MethodChoice(
        Method.SMS_CODE,
        "mfa-pages:phone-add",
        gettext_lazy("Add a phone"),
        gettext_lazy(
            "We text you a code. Text messages can be intercepted and numbers can be hijacked, so choose another"
            " method if you can."
        ),
    ),
    MethodChoice(
        Method.EMAIL_CODE,
        "mfa-pages:email-add",
        gettext_lazy("Add email codes"),
        gettext_lazy(
            "The weakest option. Anyone who can read your email can also reset your password. It is enough to sign"
            " in, but not for actions that need strong proof (AAL2)."
        ),
    ),
)


def method_choices_of(user: UserLike, factors: Sequence[Factor]) -> list[MethodChoice]:
    """Return the methods that *user*, who has *factors*, can add."""
    choices = [choice for choice in _CHOICES if _can_be_added(choice.method, user, factors)]
    if requirement_of(user) is Requirement.NONE:
        return choices
    return [choice if is_counted(choice.method) else _uncounted(choice) for choice in choices]


def _can_be_added(method: Method, user: UserLike, factors: Sequence[Factor]) -> bool:
    if method is Method.PASSKEY:
        return any(map(is_offered, WEBAUTHN_METHODS))
    if method is Method.EMAIL_CODE:
        return is_offered(method) and mailbox_of(user) not in _addresses(factors)
    return is_offered(method)


def _addresses(factors: Sequence[Factor]) -> set[str]:
    """Return the addresses that are already second factors, and an empty string for accounts without an address."""
    return {"", *(factor.address for factor in factors if isinstance(factor, EmailFactor))}


def _uncounted(choice: MethodChoice) -> MethodChoice:
    lead = _("%(lead)s It does not count as your required second factor.") % {"lead": choice.lead}
    return MethodChoice(choice.method, choice.url_name, choice.label, lead)
