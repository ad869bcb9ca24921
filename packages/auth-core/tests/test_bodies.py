"""Bodies: the validated values are attributes, and no repr shows them."""

from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from auth_core.api.bodies import Body, EmailVerifyBody, LoginBody, TextField, optional, value
from auth_core.errors import InvalidRequest


def test_the_validated_values_are_attributes() -> None:
    body = LoginBody._checked({"identifier": "alice@example.org", "password": "a secret"})

    assert (body.identifier, body.password, body.transport) == ("alice@example.org", "a secret", "cookie")


def test_an_optional_value_that_was_left_out_is_none() -> None:
    body = EmailVerifyBody._checked({"token": "t"})

    assert (body.token, body.email, body.code, body.password) == ("t", None, None, None)


def test_the_repr_shows_names_and_no_values() -> None:
    body = LoginBody._checked({"identifier": "alice@example.org", "password": "a secret"})

    assert repr(body) == "<LoginBody identifier, password, transport>"


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        LoginBody._checked({"identifier": "alice@example.org", "password": "a secret", "is_staff": True})


def test_a_field_that_may_be_missing_is_not_declared_as_a_value() -> None:
    for field in (TextField(required=False), TextField(allow_null=True)):
        with pytest.raises(TypeError):
            value(field)


def test_a_field_with_a_default_always_has_a_value() -> None:
    assert isinstance(value(TextField(default="cookie")), serializers.Field)


def test_a_required_field_is_not_declared_as_optional() -> None:
    with pytest.raises(TypeError):
        optional(TextField())


@pytest.mark.parametrize("name", ["data", "errors", "context", "label", "source", "instance"])
def test_a_field_cannot_replace_an_attribute_of_serializers(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        type("PlantedBody", (Body,), {name: value(TextField())})


class Filters(Body):
    """Filters that can all be left out."""

    name = optional(TextField(required=False))


class StrictFilters(Filters):
    """Filters of which one is needed."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require the name."""
        if not attrs:
            raise serializers.ValidationError("Enter a name.")
        return attrs


class SortedFilters(Filters):
    """Filters of which one has a default."""

    order = value(TextField(default="name"))


def parsed(filters: type[Body], query: str = "") -> Any:
    return filters.parse_query(Request(APIRequestFactory().get(f"/?{query}")))


def test_filters_without_a_query_are_what_checking_them_returns() -> None:
    without, checked = parsed(Filters, "cursor=x&page_size=5"), Filters._checked({})

    assert (without.name, without.validated_data, without.errors) == (checked.name, checked.validated_data, {})
    assert without.is_valid()
    assert parsed(Filters, "name=x").name == "x"


def test_a_rule_and_a_default_count_without_a_query() -> None:
    assert parsed(SortedFilters).order == "name"
    with pytest.raises(InvalidRequest):
        parsed(StrictFilters)


def test_filters_without_a_query_copy_no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    monkeypatch.setattr(TextField, "__deepcopy__", lambda field, memo: copied.append("field"), raising=False)

    parsed(Filters)

    assert copied == []
