"""Bodies of requests, and the filters of lists."""

from rest_framework import serializers

from auth_core.api.bodies import Body, TextField, optional, value


class DeviceNameBody(Body):
    """``PATCH devices/{id}/``."""

    name = value(TextField(max_length=100, allow_blank=True))


class NotMeBody(Body):
    """``POST devices/not-me/``: the token of the link in the mail about a new device."""

    token = value(TextField(max_length=100))


class SessionFilters(Body):
    """``GET users/sessions/?…``. *subject* is the user's public id."""

    subject = optional(serializers.UUIDField(required=False))
    device = optional(serializers.UUIDField(required=False))
    network = optional(TextField(max_length=49, required=False))
    risk_min = optional(serializers.IntegerField(min_value=0, max_value=100, required=False))
    live = optional(serializers.BooleanField(required=False))
