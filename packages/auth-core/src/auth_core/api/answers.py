"""Shapes of answers, for the schema. They serialise nothing at run time."""

from typing import Any

from rest_framework import serializers

Shape = serializers.Serializer[Any]


class FieldErrorShape(Shape):
    """An error in one field."""

    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    detail = serializers.CharField()
    params = serializers.DictField()


class ProblemShape(Shape):
    """An error (RFC 9457), served as ``application/problem+json``. Some codes have further members."""

    type = serializers.CharField(help_text="urn:auth:<code>")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    request_id = serializers.CharField()
    errors = FieldErrorShape(many=True)  # type: ignore[assignment]  # DRF has an attribute of this name


class CsrfShape(Shape):
    """The token to send as ``X-CSRFToken``."""

    csrf_token = serializers.CharField()


class MeShape(Shape):
    """The profile of the signed-in person."""

    id = serializers.UUIDField()
    email = serializers.EmailField(allow_blank=True)
    email_verified = serializers.BooleanField()
    username = serializers.CharField(allow_null=True)
    display_name = serializers.CharField(allow_blank=True)
    locale = serializers.CharField(allow_blank=True)
    timezone = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField(allow_null=True)
    second_factors = serializers.ListField(child=serializers.DictField())
    acr = serializers.CharField(allow_blank=True, help_text="aal1, aal2 or aal3: the assurance of this session.")
    application = serializers.UUIDField(
        allow_null=True, help_text="Public id of the application of this session. Null: none."
    )
    actor = serializers.UUIDField(
        allow_null=True, help_text="Public id of the person who acts as this user. Null: the user acts."
    )


class GrantedSessionShape(Shape):
    """The session that a login opened."""

    id = serializers.UUIDField()
    acr = serializers.CharField()
    amr = serializers.ListField(child=serializers.CharField())
    auth_time = serializers.DateTimeField()
    idle_expires_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    application = serializers.UUIDField(allow_null=True, help_text="Public id of the application. Null: none.")
    actor = serializers.UUIDField(
        allow_null=True, help_text="Public id of the person who acts in it. Null: its user acts."
    )


class GrantedShape(Shape):
    """A login that succeeded."""

    status = serializers.CharField(help_text="granted")
    user = MeShape()
    session = GrantedSessionShape()
    credential = serializers.CharField(
        required=False, help_text="Only with the transport `token`. It is never shown again."
    )


class AskedShape(Shape):
    """The challenge. Its kind defines the shape of the answer."""

    kind = serializers.CharField()
    method = serializers.CharField(allow_blank=True)
    choice = serializers.CharField(allow_blank=True)
    data = serializers.DictField()  # type: ignore[assignment]  # DRF has an attribute of this name


class ChoiceShape(Shape):
    """One of the factors that can answer a challenge."""

    id = serializers.CharField()
    method = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # DRF has an attribute of this name


class ChallengedShape(Shape):
    """A login that needs another proof. Send the answer to ``login/answer/``."""

    status = serializers.CharField(help_text="challenged")
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    attempts_left = serializers.IntegerField()
    challenge = AskedShape()
    choices = ChoiceShape(many=True)


class DoneShape(Shape):
    """The request was accepted. The response is the same for known and unknown addresses."""

    status = serializers.CharField(help_text="confirmation_sent, verified, link_sent, reset …")


class InvitationShape(Shape):
    """An invitation. Its link is only in the mail."""

    id = serializers.UUIDField()
    email = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()


def page_of(shape: type[Shape]) -> type[Shape]:
    """Return the schema of a page of *shape*."""
    members = {
        "__doc__": "One page of a list.",
        "next": serializers.URLField(allow_null=True),
        "previous": serializers.URLField(allow_null=True),
        "results": shape(many=True),
    }
    return type(f"{shape.__name__.removesuffix('Shape')}PageShape", (serializers.Serializer,), members)
