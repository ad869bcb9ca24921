"""Typed settings: one dictionary per package, read when asked, checked at start.

A package declares a subclass of `PackageSettings` with one `Option` per key. A key
is read from Django's settings at every access, so that tests and hosts may change
it; nothing is read at import.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar, overload

from django.conf import settings
from django.core.checks import CheckMessage, Error

T = TypeVar("T")


class Option(Generic[T]):
    """One key of a settings dictionary.

    Args:
        default: What holds when the host says nothing.
        doc: One sentence for the reference page.
        unit: What a number counts; durations are `timedelta` and need none.
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
        value: T = instance.given().get(self.name, self.default)
        return value


class PackageSettings:
    """The settings dictionary of one package, such as ``AUTH_CORE``."""

    setting: ClassVar[str]
    options: ClassVar[Mapping[str, Option[Any]]] = {}

    def given(self) -> Mapping[str, Any]:
        """Return what the host wrote, unchecked."""
        given: Mapping[str, Any] = getattr(settings, self.setting, {})
        return given

    def unknown_key_errors(self, check_id: str) -> list[CheckMessage]:
        """Return one error for each key that no option declares; a typo must not be a silent default."""
        return [
            Error(
                f"{self.setting}[{key!r}] is not a setting of this package.",
                hint=f"Known keys: {', '.join(sorted(self.options))}.",
                id=check_id,
            )
            for key in sorted(set(self.given()) - set(self.options))
        ]
