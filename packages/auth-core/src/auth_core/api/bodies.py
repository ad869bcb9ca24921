"""Bodies of requests, and the filters of lists. A body refuses every field that it does not declare."""

from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeVar, cast

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from auth_core.api.problems import field_errors
from auth_core.assurance.levels import STEP_UP_DEMANDS
from auth_core.contracts import Transport
from auth_core.errors import FieldError, InvalidRequest
from auth_core.observability.redaction import SECRET_NAMES
from auth_core.request.context import keep_secret
from auth_core.text import Pattern

#: Field names that may be repeated in a response. All others are left out.
_FIELD_NAME = Pattern(r"[A-Za-z0-9_.-]{1,64}", at_most=64)

#: The longest age of a proof that a caller can request, in seconds.
_YEAR = 365 * 24 * 60 * 60

#: Names that a serializer uses itself. The value of a field of such a name would replace them.
_SERIALIZER_NAMES = frozenset(dir(serializers.Serializer)) | frozenset(vars(serializers.Serializer()))

#: Methods with which a body can refuse what each of its fields accepts.
_RULES = ("run_validation", "to_internal_value", "validate")

#: The type of the value of a field.
T = TypeVar("T")


def value(field: "serializers.Field[T, Any, Any, Any]") -> T:
    """Declare a field that always has a value. For a type checker the attribute has the type of that value.

    Raises:
        TypeError: the field can be left out or null.
    """
    if field.allow_null or not (field.required or field.default is not serializers.empty):
        raise TypeError("A field that can be left out or null is optional.")
    return cast("T", field)


def optional(field: "serializers.Field[T, Any, Any, Any]") -> T | None:
    """Declare a field that can be left out. Its value is then ``None``.

    Raises:
        TypeError: the field always has a value.
    """
    if field.required and not field.allow_null:
        raise TypeError("A required field always has a value.")
    return cast("T | None", field)


class TextField(serializers.CharField):
    """A text field that trims nothing and refuses numbers. DRF would accept a number."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: object) -> str:
        """Return *data*, which must be text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(TextField):
    """A password field. It refuses input beyond the maximum length of a password."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 1024, "style": {"input_type": "password"}, "write_only": True, **kwargs})


class EmailField(TextField):
    """An email address as typed. `auth_core.people.addresses` validates it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 320, **kwargs})


class Body(serializers.Serializer[Any]):
    """The fields of a request. ``LoginBody.parse(request)`` returns a body with the validated values as attributes.

    DRF removes the declared fields from the class, so most names are free on its instances. A field cannot have the
    name of an attribute of a serializer, such as ``data``. The repr shows the names and no values.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if taken := _SERIALIZER_NAMES & set(getattr(cls, "_declared_fields", {})):
            raise TypeError(f"{cls.__name__}: a serializer has attributes of these names: {', '.join(sorted(taken))}.")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(self.fields)}>"

    @classmethod
    def parse(cls, request: Request) -> Self:
        """Return the body of the request.

        Raises:
            InvalidRequest: a field is unknown, missing or of the wrong type.
        """
        return cls._checked(request.data)

    @classmethod
    def parse_query(cls, request: Request) -> Self:
        """Return the filters of the query, without the parameters of the paginator.

        Raises:
            InvalidRequest: a filter is unknown, repeated or of the wrong type.
        """
        query = request.query_params
        if repeated := [name for name, values in query.lists() if len(values) > 1]:
            errors = (FieldError(_safe_name(name), "repeated", _("This parameter is repeated.")) for name in repeated)
            raise InvalidRequest(*errors)
        filters = {name: query[name] for name in query if name not in ("cursor", "page_size")}
        return cls._checked(filters) if filters or not cls._can_be_empty() else cls._without_values()

    @classmethod
    def _can_be_empty(cls) -> bool:
        """Return whether a body without fields is valid, and has no values."""
        if any(getattr(cls, rule) is not getattr(Body, rule) for rule in _RULES):
            return False
        fields = cls._declared_fields.values()
        return not any(field.required or field.default is not serializers.empty for field in fields)

    @classmethod
    def _without_values(cls) -> Self:
        """Return the body without fields. DRF would copy every field, to check none."""
        body = cls(data={})
        # What `is_valid` and `_checked` set.
        vars(body).update({**dict.fromkeys(cls._declared_fields), "_validated_data": {}, "_errors": {}})
        return body

    @classmethod
    def _checked(cls, data: Any) -> Self:
        keep_secret(*_secrets_in(data))
        body = cls(data=data)
        unknown = [
            FieldError(_safe_name(name), "unknown_field", _("Unknown field."))
            for name in data
            if name not in body.fields
        ]
        if unknown or not body.is_valid():
            raise InvalidRequest(*unknown, *([] if unknown else field_errors(body.errors)))
        for name in map(str, body.fields):
            setattr(body, name, body.validated_data.get(name))
        return body


class LoginBody(Body):
    """``POST login/``."""

    # The maximum lengths of an address and a password. Longer input is never looked up or hashed.
    identifier = value(TextField(max_length=320))
    password = value(PasswordField())
    transport = value(serializers.ChoiceField(choices=[transport.value for transport in Transport], default="cookie"))


class AnswerBody(Body):
    """``POST login/answer/``. The kind of the challenge defines the shape of *answer*."""

    token = value(TextField(max_length=100))
    answer = value(serializers.DictField())


class ChallengeBody(Body):
    """``POST login/challenge/``."""

    token = value(TextField(max_length=100))
    choice = value(TextField(max_length=64))


class SecondsField(serializers.IntegerField):
    """A duration in whole seconds. It must be a JSON integer: DRF would accept ``"60"``, ``60.0`` and ``true`` too."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": _YEAR, **kwargs})

    def to_internal_value(self, data: object) -> int:
        """Return *data*, which must be an integer."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class ReauthenticateBody(Body):
    """``POST reauthenticate/``. Both members come from the problem ``insufficient_user_authentication``."""

    required_assurance = value(serializers.ChoiceField(choices=list(STEP_UP_DEMANDS)))
    max_age = optional(SecondsField(required=False, allow_null=True))


class SignupBody(Body):
    """``POST signup/``."""

    email = value(EmailField())
    password = value(PasswordField())


class EmailVerifyBody(Body):
    """``POST email/verify/``: the token of a link, or an address and a code.

    *password* is the one chosen at sign-up. It is required when another browser follows the link.
    """

    token = optional(TextField(max_length=100, required=False))
    email = optional(EmailField(required=False))
    code = optional(TextField(max_length=12, required=False))
    password = optional(PasswordField(required=False))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Require a token, or an address and a code, but not both."""
        if not (("token" in attrs) ^ ("email" in attrs and "code" in attrs)) or ("token" in attrs and "email" in attrs):
            raise serializers.ValidationError(_("Send either a token, or an email address and a code."), code="invalid")
        return attrs


class EmailBody(Body):
    """A request with an email address and nothing else."""

    email = value(EmailField())


class NewPasswordBody(Body):
    """The token of a link and a new password."""

    token = value(TextField(max_length=100))
    password = value(PasswordField())


class PasswordChangeBody(Body):
    """``POST password/change/``."""

    current_password = value(PasswordField())
    new_password = value(PasswordField())


class NoBody(Body):
    """An empty body, for requests that need only their URL."""


class NoFilters(Body):
    """A list without filters."""


def _secrets_in(data: object, name: str = "") -> Iterator[str]:
    """Yield the texts in *data* that have the name of a secret or are nested below one."""
    if isinstance(data, Mapping):
        for key, nested in data.items():
            yield from _secrets_in(nested, name if name in SECRET_NAMES else str(key).lower())
    elif isinstance(data, str) and name in SECRET_NAMES:
        yield data


def _safe_name(name: str) -> str:
    return name if _FIELD_NAME.fullmatch(name) else ""
