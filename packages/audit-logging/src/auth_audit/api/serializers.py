"""The filters of the trail."""

from rest_framework import serializers

from auth_core.api.serializers import Body, TextField
from auth_core.events import EventOutcome


class EntryFilters(Body):
    """``GET audit/entries/?…``; *since* is inclusive, *until* exclusive."""

    name = TextField(max_length=64, required=False)
    subject = serializers.UUIDField(required=False)
    actor = serializers.UUIDField(required=False)
    session = serializers.UUIDField(required=False)
    correlation_id = TextField(max_length=64, required=False)
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in EventOutcome], required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
