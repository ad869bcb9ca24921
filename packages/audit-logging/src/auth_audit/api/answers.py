"""Shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.answers import Shape


class TargetShape(Shape):
    """The object of an action."""

    kind = serializers.CharField()
    id = serializers.CharField()


class EntryShape(Shape):
    """An audit entry."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    severity = serializers.CharField()
    outcome = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    subject = serializers.UUIDField(allow_null=True)
    actor = serializers.UUIDField(allow_null=True)
    on_behalf_of = serializers.UUIDField(allow_null=True)
    session = serializers.UUIDField(allow_null=True)
    application = serializers.UUIDField(allow_null=True)
    target = TargetShape(allow_null=True)
    changes = serializers.DictField()
    data = serializers.DictField()  # type: ignore[assignment]  # DRF has an attribute of this name
    bounds = serializers.DictField(
        allow_null=True,
        help_text="Which values were truncated, with the digest of the full value, and which part of the event this is.",
    )
    personal = serializers.CharField(
        help_text="Whether personal values can be read: none (there are none), readable, erased (their key was dropped, and"
        " they are null), or damaged.",
    )
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_null=True)
    correlation_id = serializers.CharField()


class CheckpointBodyShape(Shape):
    """The signed content of a checkpoint. See `auth_audit.offline_verifier`."""

    trail = serializers.CharField()
    size = serializers.IntegerField()
    root = serializers.CharField()  # type: ignore[assignment]  # DRF has an attribute of this name
    previous = serializers.IntegerField()
    batch = serializers.CharField()
    epoch = serializers.IntegerField()
    cluster = serializers.CharField(allow_blank=True)
    horizon = serializers.IntegerField(allow_null=True)
    time = serializers.CharField()
    signer = serializers.CharField()


class CheckpointShape(Shape):
    """A signed checkpoint."""

    checkpoint = CheckpointBodyShape()
    signature = serializers.CharField()


class ConsistencyShape(CheckpointShape):
    """A signed checkpoint and its consistency with a smaller one (RFC 6962 section 2.1.2)."""

    consistency = serializers.ListField(child=serializers.CharField())


class ProofShape(Shape):
    """An entry as it is hashed, with its path to the newest checkpoint (RFC 6962 section 2.1.1)."""

    entry = serializers.DictField(allow_null=True)
    number = serializers.IntegerField(allow_null=True)
    path = serializers.ListField(child=serializers.CharField())
    checkpoint = CheckpointShape(allow_null=True)
    state = serializers.CharField(help_text="proven, waiting or tampered, as verified by the service.")


class ActivityShape(Shape):
    """An event that concerns a person, as shown to that person."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    what = serializers.CharField()
    when = serializers.DateTimeField()
    outcome = serializers.CharField()
    by = serializers.CharField(help_text="you, somebody_else, or unknown. The actor of a failed attempt is unknown.")
    session = serializers.UUIDField(allow_null=True)
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_null=True)
