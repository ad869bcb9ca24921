"""Mails compared with what happened: each has a row that says what it must and must not say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auth_core.messages.security_notices import notices
from auth_core.testing.mails import delivered


@dataclass(frozen=True)
class Told:
    """What is mailed when something happens.

    Args:
        happens: Does it, to a person; what it returns is not looked at.
        says: What the only mail says, in its subject or its text.
        never: What it does not say.
    """

    happens: Callable[[Any], Any]
    says: tuple[str, ...]
    never: tuple[str, ...] = ()


def mail_of(row: Told, person: Any) -> str:
    """Let it happen to *person*; return subject and text of the only mail.

    Raises:
        AssertionError: there is not exactly one.
    """
    delivered()
    row.happens(person)
    mails = delivered()
    assert len(mails) == 1, [mail.subject for mail in mails]
    return f"{mails[0].subject}\n{mails[0].body}"


def assert_told(row: Told, person: Any) -> None:
    """See that the only mail says what happened, and nothing else.

    Raises:
        AssertionError: it does not.
    """
    text = mail_of(row, person)
    missing = [words for words in row.says if words not in text]
    wrong = [words for words in row.never if words in text]
    assert [*missing, *wrong] == [], f"missing: {missing}, wrong: {wrong}\n{text}"


def without_a_row(rows: Mapping[str, Told], area: str, *others: str) -> set[str]:
    """Return the events of *area* that a mail tells of and no row.

    Args:
        rows: By the name of the event, with or without a case behind a colon.
        others: Events of the area whose rows another package has.
    """
    named = {name.partition(":")[0] for name in rows}
    return {name for name, _choice in notices.items() if name.startswith(f"{area}.")} - named - {*others}
