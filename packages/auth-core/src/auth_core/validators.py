"""Validators for ``AUTH_PASSWORD_VALIDATORS``, without composition rules (NIST SP 800-63B-4 section 3.1.1.2)."""

from collections.abc import Iterator

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from auth_core.conf import core
from auth_core.text import Pattern
from auth_core.users import UserLike

#: Shorter words are too common to count.
_SHORTEST_WORD = 4

#: Minimum number of letters and digits of a password without its context words.
_LEAST_REST = 8

#: A word in a name or an address. The first 512 characters are read.
_WORD = Pattern(r"\w+", at_most=512)


class LengthValidator:
    """Requires `PASSWORD_MIN_LENGTH` code points: 15 if the password is the only factor (ASVS 6.2.1)."""

    def validate(self, password: str, user: UserLike | None = None) -> None:
        """Refuse a shorter password.

        Raises:
            ValidationError: with the code ``password_too_short``.
        """
        if len(password) < core.PASSWORD_MIN_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_short")

    def get_help_text(self) -> str:
        """Return the requirement."""
        return _("Use at least %(least)d characters. A sentence works well.") % {"least": core.PASSWORD_MIN_LENGTH}


class ContextValidator:
    """Refuses passwords based on the product, the company, or the person's own name and address (ASVS 6.2.11)."""

    def validate(self, password: str, user: UserLike | None = None) -> None:
        """Refuse a password that is short without the words an attacker would try first.

        Raises:
            ValidationError: with the code ``password_in_context``.
        """
        rest = folded = password.casefold()
        for word in _context_words(user):
            rest = rest.replace(word, "")
        if rest != folded and sum(letter.isalnum() for letter in rest) < _LEAST_REST:
            raise ValidationError(self.get_help_text(), code="password_in_context")

    def get_help_text(self) -> str:
        """Return the requirement."""
        return _("Do not base your password on your name, your address or the name of this service.")


def _context_words(user: UserLike | None) -> Iterator[str]:
    """Yield the context words, longest first, because a short word may be part of a longer one."""
    texts = [*core.PASSWORD_CONTEXT_WORDS]
    if user is not None:
        texts += [
            str(getattr(user, name, "") or "")
            for name in ("email", "username", "display_name", "first_name", "last_name")
        ]
    words = {word for text in texts for word in _WORD.findall(text.casefold()) if len(word) >= _SHORTEST_WORD}
    yield from sorted(words, key=len, reverse=True)
