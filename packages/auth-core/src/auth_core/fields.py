"""A model field whose column holds ciphertext, bound to the column and to the row.

Only the model instance can decrypt a value. ``values()`` and dumps return
ciphertext. Filters and updates of a queryset are refused.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.core.checks import CheckMessage, Error
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from auth_core.crypto.encryption import DecryptionFailed, decrypt, encrypt, needs_rotation
from auth_core.registries import EncryptedColumn, encrypted_fields

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Expression

#: Module name of historical models in migrations. Their fields are not registered.
_HISTORICAL = "__fake__"


class Sealed(str):
    """Ciphertext, as stored in the column."""

    __slots__ = ()


class _DecryptingAttribute(DeferredAttribute):
    """Decrypts the value on every read. The instance keeps the ciphertext, for pickles and error pages."""

    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, owner: type[models.Model] | None = None) -> Any:
        value = super().__get__(instance, owner)
        if instance is None or not isinstance(value, Sealed):
            return value
        return self.field.opened(value, instance)

    def __set__(self, instance: models.Model, value: str | None) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # Django's class takes no brackets when it runs
    """Text that is encrypted when its row is saved, and decrypted when it is read.

    The primary key of the row is authenticated with it. An attacker with write access to the
    database can therefore not copy a value into another row, such as their own seed into another
    person's factor (ASVS 11.3.3). The key must be known before the row is written: a UUIDv7, not
    a number from the database.

    Args:
        purpose: What the value is, such as ``auth_mfa.totp.seed``. It must never change, even if the field is
            renamed.
    """

    descriptor_class = _DecryptingAttribute

    def __init__(self, *args: Any, purpose: str = "", **kwargs: Any) -> None:
        # A form or the admin would display the secret, and caches and histories keep such pages.
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
        self.purpose = purpose

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Include the purpose in migrations, whose models must be able to decrypt."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose}

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Register the field, so that a key rotation finds every ciphertext."""
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract and cls.__module__ != _HISTORICAL:
            encrypted_fields.register(f"{cls._meta.label}.{name}", EncryptedColumn(cls, name, self.purpose))

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Refuse a field that cannot bind its values."""
        errors = super().check(**kwargs)
        if not self.purpose:
            errors.append(Error("An encrypted field needs a purpose.", obj=self, id="auth_core.E010"))
        if isinstance(self.model._meta.pk, models.AutoField):
            hint = "Use a UUIDField with the default auth_core.ids.uuid7."
            errors.append(
                Error(
                    "An encrypted field needs a primary key that is known before saving.",
                    hint=hint,
                    obj=self,
                    id="auth_core.E011",
                )
            )
        return errors

    def from_db_value(
        self, value: str | None, expression: "Expression", connection: "BaseDatabaseWrapper"
    ) -> Sealed | None:
        """Mark a value from the column as ciphertext. It is decrypted when the attribute is read."""
        return None if value is None else Sealed(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """Return the ciphertext, under the current key, and store it on the instance."""
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, Sealed):
            value = self._renewed(value, model_instance)
        elif value is not None:
            value = self._sealed(value, model_instance)
        if value is not None:
            model_instance.__dict__[self.attname] = value
        return value

    def get_prep_value(self, value: object) -> str | None:
        """Return ciphertext unchanged.

        Raises:
            TypeError: plain text, from a filter, ``update``, ``bulk_update`` or a fixture. It would be
                stored unencrypted, or compared with a ciphertext that differs every time.
        """
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self} can only be written by saving an instance, and cannot be searched.")
        return None if value is None else str(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Return ciphertext for dumps. Keys and data do not belong in one file."""
        return str(self.pre_save(obj, add=False))

    def opened(self, sealed: Sealed, instance: models.Model) -> str:
        """Return the plain text of *sealed*.

        Raises:
            DecryptionFailed: it was changed, or copied from another row or column.
        """
        return decrypt(self.purpose, sealed, context=_row_context(instance)).decode()

    def _sealed(self, text: str, instance: models.Model) -> Sealed:
        return Sealed(encrypt(self.purpose, text.encode(), context=_row_context(instance)))

    def _renewed(self, sealed: Sealed, instance: models.Model) -> Sealed:
        """Return *sealed* under the current key, so that saving an old instance does not undo a rotation.

        A value that cannot be decrypted stays as it is, so that the rest of the row can still be saved.
        """
        if not needs_rotation(sealed):
            return sealed
        try:
            return self._sealed(self.opened(sealed, instance), instance)
        except DecryptionFailed:
            return sealed


def _row_context(instance: models.Model) -> str:
    """Return the string that binds a value to its row.

    Raises:
        ValueError: the row has no key yet.
    """
    if instance.pk is None:
        raise ValueError("A value cannot be bound to a row that has no key yet.")
    return str(instance.pk)
