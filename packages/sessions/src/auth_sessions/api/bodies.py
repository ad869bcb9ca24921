"""Bodies of requests, and the filters of lists."""

from rest_framework import serializers

from auth_core.api.bodies import Body, TextField


class DeviceNameBody(Body):
    """``PATCH devices/{id}/``."""

    name = TextField(max_length=100, allow_blank=True)


class NotMeBody(Body):
    """``POST devices/not-me/``: the token of the link in the mail about a new device."""

    token = TextField(max_length=100)


class SessionFilters(Body):
    """``GET users/sessions/?…``. *subject* is the user's public id."""

    subject = serializers.UUIDField(required=False)
    device = serializers.UUIDField(required=False)
    network = TextField(max_length=49, required=False)
    risk_min = serializers.IntegerField(min_value=0, max_value=100, required=False)
    live = serializers.BooleanField(required=False)
