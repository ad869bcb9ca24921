"""What packages tell each other by name: one small table per subject.

A package registers in ``AppConfig.ready``; whoever needs the whole list reads it
here, so that nobody has to know who else is installed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from auth_core.request.client import Client

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and what stands behind them; a name is given once."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        """Give *entry* a name.

        Raises:
            ValueError: the name belongs to something else already.
        """
        if self._entries.setdefault(name, entry) is not entry:
            raise ValueError(f"{self.subject} {name!r} is registered already.")
        return entry

    def get(self, name: str) -> T | None:
        """Return what is registered under *name*."""
        return self._entries.get(name)

    def values(self) -> Iterator[T]:
        """Return the entries, in the order of registration."""
        return iter(list(self._entries.values()))

    def items(self) -> Iterator[tuple[str, T]]:
        """Return names and entries, in the order of registration."""
        return iter(list(self._entries.items()))


#: A named value of one person that travels in the session's snapshot: user -> JSON value.
#: It must be invalidated with `auth_core.people.lookup.person_changed` when it changes.
snapshot_parts: Registry[Callable[[Any], Any]] = Registry("Snapshot part")

#: A fact that policies may ask about a person: user -> value.
facts: Registry[Callable[[Any], Any]] = Registry("Fact")

#: What belongs to a person and goes into their export: user -> JSON value.
exports: Registry[Callable[[Any], Any]] = Registry("Export")


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of ciphertext that is bound to its row: the context of each value is its row's key, as text.

    Args:
        model: Whose column.
        name: Name of the field.
        purpose: What `auth_core.crypto.encryption.encrypt` is told.
    """

    model: Any
    name: str
    purpose: str


#: Columns that hold ciphertext, as ``app_label.Model.field`` -> column, for key rotation.
encrypted_fields: Registry[EncryptedColumn] = Registry("Encrypted field")

#: What else stands under field keys and cannot be encrypted again, such as a MAC: name -> number of values by key id.
key_uses: Registry[Callable[[], Mapping[str, int]]] = Registry("Use of field keys")

#: Work that is done now and then (`manage.py sweep`, Celery beat); nothing may depend on it for correctness.
sweeps: Registry[Callable[[], int]] = Registry("Sweep")

#: Who keeps copies of a person and drops them when something about the person changes: called with the user's key.
person_watchers: Registry[Callable[[Any], None]] = Registry("Person watcher")

#: Who recognises browsers: the client and a query for people -> the rows of its device, one for each of those people
#: that it is known to, or ``None`` when the client brings nothing to be recognised by. It asks no database itself: the
#: query becomes part of the statement that charges a guess (`auth_core.limits`).
known_devices: "Registry[Callable[[Client, QuerySet[Any]], QuerySet[Any] | None]]" = Registry("Recogniser of devices")

#: Who delivers messages of the outbox: channel -> function that sends one, or raises.
outbox_channels: Registry[Callable[[Any], None]] = Registry("Outbox channel")


#: Where the pages of a package take a kind of mailed link: kind -> path with ``{token}``; see `auth_core.messages.links`.
link_paths: Registry[str] = Registry("Link path")

#: The forms of answers that are no codes: kind of challenge -> subclass of `auth_core.pages.forms.PageForm`.
answer_forms: Registry[Any] = Registry("Answer form")

#: Ways of signing in beside the password, on the page of the login: request -> template of one; empty: not now.
login_ways: Registry[Callable[[Any], str]] = Registry("Login way")


#: Where people add what they can prove with: name -> name of the page, such as ``mfa-pages:factors``.
enrolment_pages: Registry[str] = Registry("Enrolment page")


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """One line of the menu on a person's own pages.

    Args:
        label: What it says, translated when shown.
        url_name: Name of the page, such as ``pages:account``.
        order: Smaller stands further up.
    """

    label: Any
    url_name: str
    order: int = 100


#: The pages on which a person looks after their account.
menu_entries: Registry[MenuEntry] = Registry("Menu entry")
