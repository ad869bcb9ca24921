"""Encrypted columns. A ciphertext reveals nothing and is valid for one row only."""

import pickle
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import serializers
from django.db import connection, models
from django.db.migrations.writer import MigrationWriter
from django.test.utils import isolate_apps

from auth_core.crypto.encryption import DecryptionFailed
from auth_core.fields import EncryptedTextField, Sealed
from auth_core.ids import uuid7
from auth_core.registries import EncryptedColumn, encrypted_fields

SEED = "JBSWY3DPEHPK3PXP"

with isolate_apps("auth_core"):

    class Factor(models.Model):
        """A model with a secret."""

        id = models.UUIDField(primary_key=True, default=uuid7)
        seed = EncryptedTextField(purpose="tests.factor.seed", null=True)
        other = EncryptedTextField(purpose="tests.factor.other", null=True)

        class Meta:
            app_label = "auth_core"

    class Counted(models.Model):
        """A model with an automatic primary key."""

        id = models.BigAutoField(primary_key=True)
        seed = EncryptedTextField()

        class Meta:
            app_label = "auth_core"


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Factor)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Factor)


@pytest.fixture
def factor(table: None) -> Factor:
    return Factor.objects.create(seed=SEED)


def column(factor: Factor, name: str = "seed") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM auth_core_factor WHERE id = %s", [_key(factor)])
        return cursor.fetchone()[0]


def _key(factor: Factor) -> Any:
    return Factor._meta.pk.get_db_prep_value(factor.pk, connection)


@pytest.mark.asvs("11.3.2")
def test_the_column_holds_ciphertext_and_the_attribute_the_text(factor: Factor) -> None:
    assert column(factor).startswith("v1.test.")
    assert SEED not in column(factor)
    assert Factor.objects.get().seed == SEED
    assert factor.seed == SEED


def test_none_stays_none_and_an_empty_text_is_encrypted(table: None) -> None:
    factor = Factor.objects.create(seed="")

    assert Factor.objects.get(other__isnull=True).seed == ""
    assert factor.other is None
    assert column(factor) != ""


def test_a_change_is_saved_and_an_unchanged_value_is_kept(factor: Factor) -> None:
    before = column(factor)

    again = Factor.objects.get()
    again.save()
    assert column(factor) == before

    again.seed = "changed"
    again.save(update_fields=["seed"])
    factor.refresh_from_db()
    assert factor.seed == "changed"


def test_a_deferred_value_is_decrypted_on_access(factor: Factor) -> None:
    assert Factor.objects.defer("seed").get().seed == SEED


def test_many_rows_are_written_at_once(table: None) -> None:
    Factor.objects.bulk_create([Factor(seed="a"), Factor(seed="b")])

    assert sorted(str(factor.seed) for factor in Factor.objects.all()) == ["a", "b"]


@pytest.mark.asvs("11.3.3")
def test_the_value_of_another_row_does_not_decrypt(factor: Factor) -> None:
    mine = Factor.objects.create(seed="a seed I know")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_core_factor SET seed = %s WHERE id = %s", [column(mine), _key(factor)])

    with pytest.raises(DecryptionFailed):
        _ = Factor.objects.get(pk=factor.pk).seed


def test_the_value_of_another_column_does_not_decrypt(factor: Factor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE auth_core_factor SET other = seed")

    with pytest.raises(DecryptionFailed):
        _ = Factor.objects.get().other


def test_the_text_is_in_no_repr_and_no_pickle(factor: Factor) -> None:
    loaded = Factor.objects.get()

    assert isinstance(Factor.objects.values_list("seed", flat=True).get(), Sealed)
    for text in (repr(vars(loaded)), repr(vars(factor)), pickle.dumps(vars(loaded)).decode("latin-1")):
        assert SEED not in text
    for instance in (loaded, Factor(seed=SEED)):
        assert SEED not in serializers.serialize("json", [instance])


@pytest.mark.parametrize("use", ["update", "filter", "bulk_update"])
def test_plain_text_never_reaches_the_database(use: str, factor: Factor) -> None:
    uses: dict[str, Any] = {
        "update": lambda: Factor.objects.update(seed="plain"),
        "filter": lambda: Factor.objects.filter(seed=SEED).exists(),
        "bulk_update": lambda: Factor.objects.bulk_update([factor], ["seed"]),
    }
    factor.seed = "plain"

    with pytest.raises(TypeError):
        uses[use]()

    assert Factor.objects.get().seed == SEED


def test_every_encrypted_field_is_registered_for_rotation() -> None:
    assert encrypted_fields.get("auth_core.Factor.seed") == EncryptedColumn(Factor, "seed", "tests.factor.seed")


def test_the_models_of_a_migration_register_nothing() -> None:
    before = len(list(encrypted_fields.items()))

    with isolate_apps("auth_core"):
        past = type(
            "Past",
            (models.Model,),
            {
                "__module__": "__fake__",
                "Meta": type("Meta", (), {"app_label": "auth_core"}),
                "id": models.UUIDField(primary_key=True),
                "seed": EncryptedTextField(purpose="p"),
            },
        )

    assert past.__name__ == "Past"
    assert len(list(encrypted_fields.items())) == before


def test_a_migration_names_the_purpose() -> None:
    written, imports = MigrationWriter.serialize(Factor._meta.get_field("seed"))

    assert written == "auth_core.fields.EncryptedTextField(editable=False, null=True, purpose='tests.factor.seed')"
    assert imports == {"import auth_core.fields"}


def test_checks_find_fields_that_cannot_be_bound() -> None:
    assert [error.id for error in Counted._meta.get_field("seed").check()] == ["auth_core.E010", "auth_core.E011"]
    assert Factor._meta.get_field("seed").check() == []
    with pytest.raises(ValueError, match="no key yet"):
        Counted._meta.get_field("seed").pre_save(Counted(seed="x"), add=True)
