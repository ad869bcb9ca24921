"""The kinds of second factors, and what each has to be able to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from auth_core.assurance.methods import Evidence, Method
from auth_core.models import PendingLogin


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedFactor:
    """One factor that a person has, as far as a login or a list needs to know it.

    Args:
        id: Key of the factor's row; of the mailbox that everybody has, `NO_ROW`.
        method: How it proves.
        name: What its owner calls it.
        is_exhausted: Whether it failed so often in a row that it answers no more.
    """

    id: UUID
    method: Method
    name: str
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    is_exhausted: bool = False


#: The id of a factor without a row: the mailbox of an account, which nobody enrolled.
NO_ROW = UUID(int=0)


class FactorKind(Protocol):
    """How one kind of factor is asked for, and what an answer to it proves."""

    #: What the challenge is called on the wire; the shape of the answer is the kind's.
    name: str

    #: Whether one question asks for all factors of the kind, of which any may answer.
    together: bool

    def ask(self, login: PendingLogin, held: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return what the caller needs to answer; may send a message, or write a challenge down.

        Called inside the transaction of the login.

        Args:
            held: The factors that may answer: the chosen one; for passkeys all of the kind.
        """

    def asked(self, login: PendingLogin, held: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return what `ask` returned, to be shown once more; sends and changes nothing."""

    def answer(self, login: PendingLogin, held: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return what *answer* proves.

        Called outside any transaction: what it spends is committed whatever the answer is.

        Raises:
            InvalidRequest: *answer* has not the shape of the kind; nothing was compared or spent.
            ChallengeFailed: it is wrong, used or expired.
        """

    def answer_nobody(self, answer: Mapping[str, Any]) -> None:
        """Do the same work for a login of nobody.

        Raises:
            InvalidRequest: as in `answer`.
        """
