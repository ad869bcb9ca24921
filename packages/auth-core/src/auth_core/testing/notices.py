"""Tables that compare each mail with the change that caused it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from auth_core.messages.security_notices import notices
from auth_core.testing.mails import delivered
from auth_core.users import UserLike


@dataclass(frozen=True)
class ExpectedMail:
    """The mail that a change must cause.

    Args:
        trigger: Makes the change for a person. Its return value is ignored.
        contains: Texts that the subject or the body must contain.
        lacks: Texts that neither may contain.
    """

    trigger: Callable[[Any], Any]
    contains: tuple[str, ...]
    lacks: tuple[str, ...] = ()


def mail_of(row: ExpectedMail, person: UserLike) -> str:
    """Trigger the change for *person* and return the subject and body of the only mail.

    Raises:
        AssertionError: the change did not cause exactly one mail.
    """
    delivered()
    row.trigger(person)
    mails = delivered()
    assert len(mails) == 1, [mail.subject for mail in mails]
    return f"{mails[0].subject}\n{mails[0].body}"


def assert_mail(row: ExpectedMail, person: UserLike) -> None:
    """Trigger the change for *person* and check the only mail against *row*.

    Raises:
        AssertionError: a text is missing or must not be there.
    """
    text = mail_of(row, person)
    missing = [words for words in row.contains if words not in text]
    wrong = [words for words in row.lacks if words in text]
    assert [*missing, *wrong] == [], f"missing: {missing}, wrong: {wrong}\n{text}"


def events_without_row(rows: Mapping[str, ExpectedMail], area: str, *others: str) -> set[str]:
    """Return the events of *area* that cause a mail but have no row.

    Args:
        rows: Rows by the name of the event, with an optional case after a colon.
        others: Events of the area whose rows are in another package.
    """
    named = {name.partition(":")[0] for name in rows}
    return {name for name, _choice in notices.items() if name.startswith(f"{area}.")} - named - {*others}
