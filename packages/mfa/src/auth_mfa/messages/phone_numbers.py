"""Phone numbers: their format, and which of them may get a text."""

from dataclasses import dataclass, field

import phonenumbers
from django.utils.translation import gettext as _
from phonenumbers import NumberParseException, PhoneNumberType

from auth_core.errors import FieldError, InvalidRequest
from auth_mfa.conf import mfa
from auth_mfa.errors import NumberRefused

#: Longer than any notation of fifteen digits (E.164) with spaces and brackets.
_LONGEST = 32

#: National digits that numbers of one operator or region share.
_SHARED_DIGITS = 3

#: Types that receive texts at the owner's cost. A premium number would earn its owner money at our cost.
_TEXTABLE = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may get a text.

    Args:
        e164: ``+`` and at most fifteen digits.
        prefix: The digits that neighbouring numbers share. It identifies no person.
    """

    e164: str = field(repr=False)
    prefix: str


def parse_number(text: str) -> Number:
    """Return the number in *text*.

    Raises:
        InvalidRequest: *text* is not a phone number with ``+`` and its country code.
        NumberRefused: no texts are sent to numbers of its type or country.
    """
    if len(text) > _LONGEST or not text.isascii() or not text.strip().startswith("+"):
        raise _not_a_number()
    try:
        parsed = phonenumbers.parse(text.strip(), None)
    except NumberParseException:
        raise _not_a_number() from None
    if not phonenumbers.is_valid_number(parsed) or parsed.extension:
        raise _not_a_number()
    country = phonenumbers.region_code_for_number(parsed)
    if phonenumbers.number_type(parsed) not in _TEXTABLE or (mfa.SMS_COUNTRIES and country not in mfa.SMS_COUNTRIES):
        raise NumberRefused
    return Number(
        e164=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        prefix=f"+{parsed.country_code}{phonenumbers.national_significant_number(parsed)[:_SHARED_DIGITS]}",
    )


def _not_a_number() -> InvalidRequest:
    detail = _("Enter a mobile number with + and the country code, such as +41 79 123 45 67.")
    return InvalidRequest(FieldError("number", "invalid", detail))
