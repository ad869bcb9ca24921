"""Registries: what packages publish by name, one small table per subject.

A package registers in ``AppConfig.ready``. A reader uses the whole registry, and does not
need to know which packages are installed.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import Model, QuerySet

    from auth_core.request.client import Client

T = TypeVar("T")


class Registry(Generic[T]):
    """Entries by name. A name can be registered once."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        """Register *entry* under *name*.

        Raises:
            ValueError: the name is already registered for another entry.
        """
        if self._entries.setdefault(name, entry) is not entry:
            raise ValueError(f"{self.subject} {name!r} is already registered.")
        return entry

    def get(self, name: str) -> T | None:
        """Return the entry under *name*, or ``None``."""
        return self._entries.get(name)

    def values(self) -> Iterator[T]:
        """Return the entries, in the order of registration."""
        return iter(list(self._entries.values()))

    def items(self) -> Iterator[tuple[str, T]]:
        """Return names and entries, in the order of registration."""
        return iter(list(self._entries.items()))


#: A named value of one person in the session snapshot: user -> JSON value. Call
#: `auth_core.people.lookup.person_changed` when it changes.
snapshot_parts: Registry[Callable[[Any], Any]] = Registry("Snapshot part")


class Occasion(Enum):
    """When packages read about a person. What they read at once is one statement on PostgreSQL."""

    #: A session is read from its row, and its snapshot is written. What was read is kept for `snapshot_parts`.
    SESSION = auto()
    #: A login begins, and the person has proved who they are.
    LOGIN = auto()
    #: The same, and the risk of the login is assessed. That of a login in which another person acts is not.
    RISK = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRead:
    """What a package reads about a person, as a column of a statement in place of a query of its own.

    The package reads by itself what was not kept: on other databases, or if the statement failed.

    Args:
        occasions: When it is read.
        models: Returns the models that it reads. A statement reads one database.
        sql: Returns a scalar subquery in PostgreSQL's SQL, of type ``json``. Its argument is the SQL of the primary key
            of the person.
        keep: Keeps the value of the subquery on the person, for one use in the same request.
        values: Returns the named parameters of the subquery, which a session has none of. Their names begin with the
            name of the read.
    """

    occasions: frozenset[Occasion]
    models: "Callable[[], Collection[type[Model]]]"
    sql: Callable[[str], str]
    keep: Callable[[Any, Any], None]
    values: "Callable[[Client], Mapping[str, Any]]" = lambda _client: {}


#: What packages read about a person together.
person_reads: Registry[PersonRead] = Registry("Read about a person")

#: A fact about a person for policies: user -> value.
facts: Registry[Callable[[Any], Any]] = Registry("Fact")

#: A person's data for their export: user -> JSON value. Packages register it. The export itself comes with the accounts pages.
exports: Registry[Callable[[Any], Any]] = Registry("Export")


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of ciphertext bound to its row.

    The context of each value is the primary key of the row, as text.

    Args:
        model: The model of the column.
        name: Name of the field.
        purpose: The purpose passed to `auth_core.crypto.encryption.encrypt`.
    """

    model: Any
    name: str
    purpose: str


#: Columns that hold ciphertext, as ``app_label.Model.field`` -> column, for key rotation.
encrypted_fields: Registry[EncryptedColumn] = Registry("Encrypted field")

#: Other uses of field keys that cannot be encrypted again, such as a MAC: name -> number of values by key id.
key_uses: Registry[Callable[[], Mapping[str, int]]] = Registry("Use of field keys")

#: Keys that `manage.py rotate_keys` replaces besides field keys: option -> function that does it, and returns what it did as
#: sentences.
key_rotations: Registry[Callable[[], list[str]]] = Registry("Key rotation")

#: Periodic work (`manage.py sweep`, Celery beat). Correctness must not depend on it.
sweeps: Registry[Callable[[], int]] = Registry("Sweep")

#: Functions that drop cached copies of a person when the person changes. Called with the user's key.
person_watchers: Registry[Callable[[Any], None]] = Registry("Person watcher")


@dataclass(frozen=True, slots=True)
class HolderDescription:
    """A holder of roles, as the package that owns it describes it.

    Args:
        label: The name that administrators read.
        is_active: Whether the holder may use what it holds. A disabled holder keeps its roles.
    """

    label: str
    is_active: bool


#: Kinds of holders of roles (``person``, ``group``, ``service``): kind -> function from public ids to the descriptions of
#: the holders that exist, in one query. A holder without a description does not exist. Packages that own OAuth
#: applications or other machine clients register ``service``.
holder_kinds: "Registry[Callable[[Collection[UUID]], Mapping[UUID, HolderDescription]]]" = Registry("Holder kind")

#: Functions that recognise browsers: client, query for people -> query for the rows of the client's device, one for
#: each of those people who knows it, or ``None`` if the client sends nothing to recognise it by. The function runs no
#: query: its result becomes part of the statement that charges a guess (`auth_core.limits`).
known_devices: "Registry[Callable[[Client, QuerySet[Any]], QuerySet[Any] | None]]" = Registry("Device recogniser")


#: Functions that tell whether an application may be used: public id -> bool. One that refuses is enough. Logins and
#: sessions of an application ask all of them (`auth_core.people.admission`).
application_checks: "Registry[Callable[[UUID], bool]]" = Registry("Application check")

#: Functions that tell whether people may sign in with an identity provider: name of the provider -> bool. One that refuses
#: is enough. Logins that name a provider ask all of them (`auth_core.people.admission`).
provider_checks: Registry[Callable[[str], bool]] = Registry("Provider check")

#: Ways of a person to sign in without the password: user -> public ids of the credentials. The last one is never removed
#: from a person without a password.
ways_in: "Registry[Callable[[Any], Collection[UUID]]]" = Registry("Way in")

#: Delivery of outbox messages: channel -> function that sends one message, or raises.
outbox_channels: Registry[Callable[[Any], None]] = Registry("Outbox channel")


#: Paths of a package's pages for mailed links: kind -> path with ``{token}``. See `auth_core.messages.links`.
link_paths: Registry[str] = Registry("Link path")

#: Forms for answers other than codes: kind of challenge -> subclass of `auth_core.pages.forms.PageForm`.
answer_forms: Registry[Any] = Registry("Answer form")

#: Ways to sign in besides the password, on the login page: request -> template. Empty if not available now.
login_ways: Registry[Callable[[Any], str]] = Registry("Login way")


#: Pages on which people add factors: name -> name of the page, such as ``mfa-pages:factors``.
enrolment_pages: Registry[str] = Registry("Enrolment page")


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """One entry in the menu of the account pages.

    Args:
        label: The text, translated when shown.
        url_name: Name of the page, such as ``core-pages:account``.
        order: Smaller numbers come first.
    """

    label: Any
    url_name: str
    order: int = 100


#: Pages on which people manage their account.
menu_entries: Registry[MenuEntry] = Registry("Menu entry")
