"""Bodies of requests, and the filters of lists."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import cast

from django.utils.translation import gettext as _
from rest_framework import serializers

from auth_audit.deliver.exports import WRITERS
from auth_audit.personal import addresses
from auth_core.api.bodies import Body, TextField, optional, value
from auth_core.events import EventOutcome

#: Characters of the longest IPv6 address with a prefix length.
_LONGEST_NETWORK = 49


class NetworkField(TextField):
    """An IP address, or a network such as ``192.0.2.0/24``."""

    def to_internal_value(self, data: object) -> IPv4Network | IPv6Network:  # type: ignore[override]  # the field returns another type than text
        """Return the network."""
        try:
            network = ip_network(super().to_internal_value(data)[:_LONGEST_NETWORK], strict=False)
        except ValueError as error:
            raise serializers.ValidationError(_("Enter a valid IP address or network."), code="invalid") from error
        if not addresses.is_searchable(network):
            message = _("Enter an address, an IPv4 network of /4 or longer, or an IPv6 network of /28 to /64.")
            raise serializers.ValidationError(message, code="not_searchable")
        return network


class EntryFilters(Body):
    """``GET audit/entries/?…``. *since* is inclusive, *until* exclusive."""

    name = optional(TextField(max_length=64, required=False))
    subject = optional(serializers.UUIDField(required=False))
    actor = optional(serializers.UUIDField(required=False))
    session = optional(serializers.UUIDField(required=False))
    correlation_id = optional(TextField(max_length=64, required=False))
    outcome = optional(serializers.ChoiceField(choices=[outcome.value for outcome in EventOutcome], required=False))
    network = cast("IPv4Network | IPv6Network | None", optional(NetworkField(required=False)))
    since = optional(serializers.DateTimeField(required=False))
    until = optional(serializers.DateTimeField(required=False))


class ExportBody(EntryFilters):
    """``POST audit/exports/``: the filters and the format. Without filters everything is exported."""

    format = value(serializers.ChoiceField(choices=sorted(WRITERS)))


class CheckpointFilters(Body):
    """``GET audit/checkpoints/{size}/?first=``: the size of the smaller checkpoint to compare with."""

    first = optional(serializers.IntegerField(min_value=1, required=False))
