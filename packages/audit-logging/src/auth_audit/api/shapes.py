"""The shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.shapes import Shape


class TargetShape(Shape):
    """What something was done to."""

    kind = serializers.CharField()
    id = serializers.CharField()


class EntryShape(Shape):
    """An entry of the trail."""

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
        allow_null=True, help_text="What was cut, with the digest of the whole, and which part of several this is."
    )
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    correlation_id = serializers.CharField()


class CheckpointBodyShape(Shape):
    """What was signed, in canonical JSON behind a prefix; see `auth_audit.offline_verifier`."""

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
    """A signed checkpoint, and the proof that it goes on from a smaller one (RFC 6962 section 2.1.2)."""

    consistency = serializers.ListField(child=serializers.CharField())


class ProofShape(Shape):
    """An entry as it is hashed, and the way to the newest checkpoint (RFC 6962 section 2.1.1)."""

    entry = serializers.DictField(allow_null=True)
    number = serializers.IntegerField(allow_null=True)
    path = serializers.ListField(child=serializers.CharField())
    checkpoint = CheckpointShape(allow_null=True)
    state = serializers.CharField(help_text="proven, waiting or tampered: what the service itself finds.")


class ActivityShape(Shape):
    """Something that happened to a person, or that they did, in plain words."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    what = serializers.CharField()
    when = serializers.DateTimeField()
    outcome = serializers.CharField()
    by = serializers.CharField(help_text="you, somebody_else, or unknown: whoever failed may be anybody")
    session = serializers.UUIDField(allow_null=True)
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
