"""What a person can add, and what is honest to say of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from auth_core.assurance.methods import Method
from auth_mfa.mailbox import mailbox_of
from auth_mfa.models import EmailFactor, Factor
from auth_mfa.policy import Requirement, is_counted, is_offered, requirement_of


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """One kind of factor that can be added.

    Args:
        url_name: Where that begins.
        lead: What it is good for, and what it is not.
    """

    method: Method
    url_name: str
    label: Any
    lead: Any


#: What withstands phishing stands first; what is weak says so (ASVS 6.6.1, SP 800-63B-4 section 3.1.3.3).
_CHOICES = (
    MethodChoice(
        Method.PASSKEY,
        "mfa-pages:passkey-add",
        gettext_lazy("Add a passkey or security key"),
        gettext_lazy("The strongest: it answers this site alone, so that a copy of this site gets nothing from it."),
    ),
    MethodChoice(
        Method.TOTP,
        "mfa-pages:add",
        gettext_lazy("Add an authenticator app"),
        gettext_lazy("An app on your phone, or your password manager, shows another code every half minute."),
    ),
    MethodChoice(
        Method.SMS_CODE,
        "mfa-pages:phone-add",
        gettext_lazy("Add a telephone"),
        gettext_lazy(
            "A code comes by text message. Texts can be intercepted, and a number can be taken over by somebody who"
            " talks to your provider: take one of the others, if you can."
        ),
    ),
    MethodChoice(
        Method.EMAIL_CODE,
        "mfa-pages:email-add",
        gettext_lazy("Add codes by email"),
        gettext_lazy(
            "The weakest: whoever reads your mail can reset your password, too. It is enough for a login, and never"
            " for what asks for a strong proof (AAL2)."
        ),
    ),
)


def method_choices_of(user: Any, held: Sequence[Factor]) -> list[MethodChoice]:
    """Return what *user*, who has *held*, can add here."""
    offered = [way for way in _CHOICES if _is_open(way.method, user, held)]
    if requirement_of(user) is Requirement.NONE:
        return offered
    return [way if is_counted(way.method) else _uncounted(way) for way in offered]


def _is_open(method: Method, user: Any, held: Sequence[Factor]) -> bool:
    if method is Method.PASSKEY:
        return is_offered(method) or is_offered(Method.SECURITY_KEY)
    if method is Method.EMAIL_CODE:
        return is_offered(method) and mailbox_of(user) not in _addresses(held)
    return is_offered(method)


def _addresses(held: Sequence[Factor]) -> set[str]:
    """Return the addresses that are second factors already; nothing stands for an account without any."""
    return {"", *(factor.address for factor in held if isinstance(factor, EmailFactor))}


def _uncounted(way: MethodChoice) -> MethodChoice:
    lead = _("%(lead)s It does not count as the second factor that you must have.") % {"lead": way.lead}
    return MethodChoice(way.method, way.url_name, way.label, lead)
