"""Values that a module keeps on an instance, such as a user, for as long as the instance lives."""

from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """One value on each instance. A user instance lives for one request, and so do the values on it.

    Each memo has an attribute of its own, so a copy of the instance has the same values and forgets them alone.

    Args:
        name: Package and content, such as ``auth_core.primary_address``. No two memos have the same name.
    """

    def __init__(self, name: str) -> None:
        self._attribute = f"_memo_{name}"

    def of(self, instance: object) -> T | None:
        """Return the value on *instance*, or ``None``. It stays there."""
        return getattr(instance, self._attribute, None)

    def keep(self, instance: object, value: T) -> None:
        """Keep *value* on *instance*, in place of an earlier one."""
        setattr(instance, self._attribute, value)

    def forget(self, instance: object) -> None:
        """Remove the value from *instance*, if there is one."""
        if self.of(instance) is not None:
            delattr(instance, self._attribute)

    def take(self, instance: object) -> T | None:
        """Return the value on *instance*, and forget it."""
        value = self.of(instance)
        self.forget(instance)
        return value
