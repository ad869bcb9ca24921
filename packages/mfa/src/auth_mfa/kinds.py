"""The kinds of second factors, and the protocol of each kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from auth_core.assurance.methods import Evidence, Method
from auth_core.models import PendingLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFactor:
    """One factor of a user, with the columns that logins and lists need.

    Args:
        id: Key of the factor's row, or `NO_ROW` for the mailbox of the account.
        method: The method of the factor.
        name: The name that its owner gave it.
        is_exhausted: Whether it is disabled after too many failures in a row.
    """

    id: UUID
    method: Method
    name: str
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    is_exhausted: bool = False


#: The id of a factor without a row: the mailbox of an account that was not enrolled.
NO_ROW = UUID(int=0)


class FactorKind(Protocol):
    """The challenge of one kind of factor, and the check of its answer."""

    #: Name of the challenge on the wire. It determines the shape of the answer.
    name: str

    #: Whether one challenge covers all factors of the kind, and any of them may answer.
    together: bool

    def ask(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return the data of a new challenge. May send a message or store a challenge.

        Called inside the transaction of the login.

        Args:
            factors: The factors that may answer: the chosen one, or for passkeys all of the kind.
        """

    def repeat(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return the data of the last `ask` again. Sends and changes nothing."""

    def answer(self, login: PendingLogin, factors: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return what *answer* proves.

        Called outside any transaction, so that every attempt is committed.

        Raises:
            InvalidRequest: *answer* does not have the shape of the kind. Nothing was compared or spent.
            ChallengeFailed: *answer* is wrong, used or expired.
        """

    def answer_userless(self, answer: Mapping[str, Any]) -> None:
        """Do the same work for a login without a user.

        Raises:
            InvalidRequest: as in `answer`.
        """
