"""The shapes of bodies; a body says what it may hold, and anything else is refused."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from auth_core.api.problems import field_errors
from auth_core.contracts import Transport
from auth_core.errors import FieldError, InvalidRequest
from auth_core.observability.redaction import SECRET_NAMES
from auth_core.request.context import keep_secret
from auth_core.text import Pattern

#: A name of a field that may be repeated in an answer; whatever else came as one is not.
_FIELD_NAME = Pattern(r"[A-Za-z0-9_.-]{1,64}", at_most=64)


#: The longest age of a proof that can be asked for, in seconds.
_YEAR = 365 * 24 * 60 * 60


class Parsed(SimpleNamespace):
    """The fields of a request, checked; its repr names them and says nothing of what they hold."""

    def __repr__(self) -> str:
        return f"<Parsed {', '.join(vars(self))}>"


class TextField(serializers.CharField):
    """Text exactly as it was sent: nothing trimmed, and a number is not text (DRF would take one)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Return *data* if it is text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PasswordField(TextField):
    """A password; the longest there is, and not a character more is looked at."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 1024, "style": {"input_type": "password"}, "write_only": True, **kwargs})


class EmailField(TextField):
    """An address as people type it; what it is, `auth_core.people.addresses` says."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 320, **kwargs})


class Body(serializers.Serializer[Any]):
    """The fields of a request; ``LoginBody.parse(request)`` returns them checked."""

    @classmethod
    def parse(cls, request: Request) -> Any:
        """Return the body's fields as attributes.

        Raises:
            InvalidRequest: a field is unknown, missing or of the wrong type.
        """
        return cls._checked(request.data)

    @classmethod
    def parse_query(cls, request: Request) -> Any:
        """Return the query's filters as attributes; the paging parameters are the paginator's.

        Raises:
            InvalidRequest: a filter is unknown, given twice or of the wrong type.
        """
        query = request.query_params
        if twice := [name for name, values in query.lists() if len(values) > 1]:
            raise InvalidRequest(*(FieldError(_shown(name), "repeated", _("Given twice.")) for name in twice))
        return cls._checked({name: query[name] for name in query if name not in ("cursor", "page_size")})

    @classmethod
    def _checked(cls, data: Any) -> Parsed:
        keep_secret(*_secrets_in(data))
        body = cls(data=data)
        unknown = [
            FieldError(_shown(name), "unknown_field", _("This field is not known."))
            for name in data
            if name not in body.fields
        ]
        if unknown or not body.is_valid():
            raise InvalidRequest(*unknown, *([] if unknown else field_errors(body.errors)))
        return Parsed(**{str(name): body.validated_data.get(name) for name in body.fields})


class LoginBody(Body):
    """``POST login/``."""

    # The longest address there is, and the longest password: beyond them nothing is looked up or hashed.
    identifier = TextField(max_length=320)
    password = PasswordField()
    transport = serializers.ChoiceField(choices=[transport.value for transport in Transport], default="cookie")


class AnswerBody(Body):
    """``POST login/answer/``; the shape of *answer* is the challenge's kind's."""

    token = TextField(max_length=100)
    answer = serializers.DictField()  # type: ignore[assignment]  # DRF gives serializers no attribute of this name


class ChallengeBody(Body):
    """``POST login/challenge/``."""

    token = TextField(max_length=100)
    choice = TextField(max_length=64)


class SecondsField(serializers.IntegerField):
    """A duration in whole seconds, as a number: DRF would take ``"60"``, ``60.0`` and ``true`` as well."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": 0, "max_value": _YEAR, **kwargs})

    def to_internal_value(self, data: Any) -> int:
        """Return *data* if it is a whole number."""
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class ReauthenticateBody(Body):
    """``POST reauthenticate/``; both members as ``insufficient_user_authentication`` told them."""

    required_assurance = serializers.ChoiceField(choices=["aal1", "second_factor", "aal2", "aal3"])
    max_age = SecondsField(required=False, allow_null=True)


class SignupBody(Body):
    """``POST signup/``."""

    email = EmailField()
    password = PasswordField()


class EmailVerifyBody(Body):
    """``POST email/verify/``: the token of a link, or address and code.

    *password* is the one chosen at sign-up; asked for when another browser follows the link.
    """

    token = TextField(max_length=100, required=False)
    email = EmailField(required=False)
    code = TextField(max_length=12, required=False)
    password = PasswordField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what is neither of the two, or both."""
        if not (("token" in attrs) ^ ("email" in attrs and "code" in attrs)) or ("token" in attrs and "email" in attrs):
            raise serializers.ValidationError(_("Send a token, or an address and a code."), code="invalid")
        return attrs


class EmailBody(Body):
    """A request that names an address and nothing else."""

    email = EmailField()


class NewPasswordBody(Body):
    """A link's token and the password that is to be."""

    token = TextField(max_length=100)
    password = PasswordField()


class PasswordChangeBody(Body):
    """``POST password/change/``."""

    current_password = PasswordField()
    new_password = PasswordField()


class NoBody(Body):
    """A request that says everything with its address."""


class NoFilters(Body):
    """A list that is not filtered."""


def _secrets_in(data: Any, name: str = "") -> Iterator[str]:
    """Yield the texts in *data* that are called by a secret's name, or lie below one."""
    if isinstance(data, Mapping):
        for key, nested in data.items():
            yield from _secrets_in(nested, name if name in SECRET_NAMES else str(key).lower())
    elif isinstance(data, str) and name in SECRET_NAMES:
        yield data


def _shown(name: str) -> str:
    return name if _FIELD_NAME.fullmatch(name) else ""
