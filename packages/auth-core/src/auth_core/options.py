"""Typed settings: one dictionary per package, read on access and checked at start.

A package declares a subclass of `PackageSettings` with one `Option` per key. Each access
reads Django's settings, so that tests and hosts can change a key. Nothing is read at import.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from django.conf import settings
from django.core.checks import CheckMessage, Error

T = TypeVar("T")

#: Where Django's lazy settings keep what was read, until a setting changes. Asking them for it costs more than the lookup.
_READ: Mapping[str, Any] = object.__getattribute__(settings, "__dict__")


class Option(Generic[T]):
    """One key of a settings dictionary.

    Args:
        default: The value if the host does not set the key.
        doc: One sentence for the reference page.
        unit: What a number counts. Durations are `timedelta` and need none.
    """

    name: str

    def __init__(self, default: T, *, doc: str, unit: str = "") -> None:
        self.default = default
        self.unit = unit
        self.__doc__ = doc

    def __set_name__(self, owner: type["PackageSettings"], name: str) -> None:
        self.name = name
        owner.options = {**owner.options, name: self}

    @overload
    def __get__(self, instance: None, owner: type["PackageSettings"]) -> Self: ...

    @overload
    def __get__(self, instance: "PackageSettings", owner: type["PackageSettings"]) -> T: ...

    def __get__(self, instance: "PackageSettings | None", owner: type["PackageSettings"]) -> Self | T:
        if instance is None:
            return self
        # As `configured`, without the call. A request reads thirty options.
        configured = _READ.get(instance.setting)
        value: T = (instance.configured() if configured is None else configured).get(self.name, self.default)
        return value


class PackageSettings:
    """The settings dictionary of one package, such as ``AUTH_CORE``."""

    setting: ClassVar[str]
    options: ClassVar[Mapping[str, Option[Any]]] = {}

    def configured(self) -> Mapping[str, Any]:
        """Return the host's dictionary, unchecked."""
        configured: Mapping[str, Any] | None = _READ.get(self.setting)
        return getattr(settings, self.setting, {}) if configured is None else configured

    def unknown_key_errors(self, check_id: str) -> list[CheckMessage]:
        """Return one error for each undeclared key, because a typo would silently use the default."""
        return [
            Error(
                f"Unknown setting {self.setting}[{key!r}].",
                hint=f"Known keys: {', '.join(sorted(self.options))}.",
                id=check_id,
            )
            for key in sorted(set(self.configured()) - set(self.options))
        ]
