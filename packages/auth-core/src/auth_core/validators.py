"""Validators for ``AUTH_PASSWORD_VALIDATORS``; composition rules are none of them (NIST SP 800-63B-4 section 3.1.1.2)."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from auth_core.conf import core
from auth_core.text import Pattern

#: Words shorter than this are in every sentence.
_SHORTEST_WORD = 4

#: What has to be left of a password when the words of its context are taken out.
_LEAST_REST = 8

#: A word in a name or an address, of which the first 512 characters are read.
_WORD = Pattern(r"\w+", at_most=512)


class LengthValidator:
    """At least `PASSWORD_MIN_LENGTH` code points: 15 where the password is the only factor (ASVS 6.2.1)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse what is shorter.

        Raises:
            ValidationError: with the code ``password_too_short``.
        """
        if len(password) < core.PASSWORD_MIN_LENGTH:
            raise ValidationError(self.get_help_text(), code="password_too_short")

    def get_help_text(self) -> str:
        """Say what is asked."""
        return _("Use at least %(least)d characters; a sentence is fine.") % {"least": core.PASSWORD_MIN_LENGTH}


class ContextValidator:
    """Not built around the product, the company, or the person's own name and address (ASVS 6.2.11)."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password of which little is left without the words that everybody would try.

        Raises:
            ValidationError: with the code ``password_in_context``.
        """
        rest = folded = password.casefold()
        for word in _context_words(user):
            rest = rest.replace(word, "")
        if rest != folded and sum(letter.isalnum() for letter in rest) < _LEAST_REST:
            raise ValidationError(self.get_help_text(), code="password_in_context")

    def get_help_text(self) -> str:
        """Say what is asked."""
        return _("Do not build it around your name, your address or the name of this service.")


def _context_words(user: Any) -> Iterator[str]:
    """Yield the words of this context, longest first, so that none hides in another."""
    texts = [*core.PASSWORD_CONTEXT_WORDS]
    if user is not None:
        texts += [
            str(getattr(user, name, "") or "")
            for name in ("email", "username", "display_name", "first_name", "last_name")
        ]
    words = {word for text in texts for word in _WORD.findall(text.casefold()) if len(word) >= _SHORTEST_WORD}
    yield from sorted(words, key=len, reverse=True)
