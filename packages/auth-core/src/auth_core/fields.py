"""A model field whose column holds ciphertext, bound to the column and to the row.

Nothing but the model instance can open a value: ``values()``, a filter, a dump and an
update of a queryset see ciphertext, or are refused.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from auth_core.crypto.encryption import DecryptionFailed, decrypt, encrypt, needs_rotation
from auth_core.registries import EncryptedColumn, encrypted_fields

#: Where Django puts the models of a migration's past; they are no fields of today.
_PAST = "__fake__"


class Sealed(str):
    """Ciphertext, as it stands in the column."""

    __slots__ = ()


class _Opening(DeferredAttribute):
    """Opens the value whenever it is read; the instance itself keeps ciphertext, for pickles and error pages."""

    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, owner: Any = None) -> Any:
        value = super().__get__(instance, owner)
        if instance is None or not isinstance(value, Sealed):
            return value
        return self.field.opened(value, instance)

    def __set__(self, instance: models.Model, value: str | None) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # Django's class takes no brackets when it runs
    """Text that is encrypted when its row is saved, and decrypted when it is read.

    The row's key is authenticated with it, so that whoever can write to the database
    cannot put the value of one row into another, such as a seed of their own into
    somebody else's factor (ASVS 11.3.3). For that the key must be known before the row
    is written: a UUIDv7, not a number that the database counts.

    Args:
        purpose: What the value is, such as ``auth_mfa.oath.seed``; it survives a renaming, and must not change.
    """

    descriptor_class = _Opening

    def __init__(self, *args: Any, purpose: str = "", **kwargs: Any) -> None:
        # A form or the admin would show it, and a page that shows a secret keeps it in caches and histories.
        kwargs.setdefault("editable", False)
        super().__init__(*args, **kwargs)
        self.purpose = purpose

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        """Name the purpose in migrations, whose models must be able to read."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "purpose": self.purpose}

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        """Register among the encrypted fields, so that a rotation of keys finds every ciphertext."""
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract and cls.__module__ != _PAST:
            encrypted_fields.register(f"{cls._meta.label}.{name}", EncryptedColumn(cls, name, self.purpose))

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        """Refuse a field that could not bind what it keeps."""
        errors = super().check(**kwargs)
        if not self.purpose:
            errors.append(Error("An encrypted field needs a purpose.", obj=self, id="auth_core.E010"))
        if isinstance(self.model._meta.pk, models.AutoField):
            hint = "Use a UUIDField with the default auth_core.ids.uuid7."
            errors.append(
                Error("An encrypted field needs a key known before saving.", hint=hint, obj=self, id="auth_core.E011")
            )
        return errors

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed | None:
        """Mark what comes from the column; it is opened when somebody reads it."""
        return None if value is None else Sealed(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed | None:
        """Return the ciphertext, under the current key, and leave it in the place of what was there."""
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, Sealed):
            value = self._renewed(value, model_instance)
        elif value is not None:
            value = self._sealed(value, model_instance)
        if value is not None:
            model_instance.__dict__[self.attname] = value
        return value

    def get_prep_value(self, value: Any) -> str | None:
        """Let ciphertext pass.

        Raises:
            TypeError: plain text, from a filter, ``update``, ``bulk_update`` or a fixture; it would be
                stored as it is, or compared with what is different every time.
        """
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self} is written by saving an instance, and is not searched for.")
        return None if value is None else str(value)

    def value_to_string(self, obj: models.Model) -> str:
        """Return ciphertext to whoever dumps the table; keys and data do not belong in one file."""
        return str(self.pre_save(obj, add=False))

    def opened(self, sealed: Sealed, instance: models.Model) -> str:
        """Return the plain text of *sealed*.

        Raises:
            DecryptionFailed: it was changed, or brought here from another row or column.
        """
        return decrypt(self.purpose, sealed, context=_row(instance)).decode()

    def _sealed(self, text: str, instance: models.Model) -> Sealed:
        return Sealed(encrypt(self.purpose, text.encode(), context=_row(instance)))

    def _renewed(self, sealed: Sealed, instance: models.Model) -> Sealed:
        """Return *sealed* under the current key, so that an instance that was read before a rotation does not undo it.

        What cannot be opened stays as it is: saving the rest of a row is no place to find that out.
        """
        if not needs_rotation(sealed):
            return sealed
        try:
            return self._sealed(self.opened(sealed, instance), instance)
        except DecryptionFailed:
            return sealed


def _row(instance: models.Model) -> str:
    """Return what binds a value to its row.

    Raises:
        ValueError: the row has no key yet.
    """
    if instance.pk is None:
        raise ValueError("A value cannot be bound to a row that has no key yet.")
    return str(instance.pk)
