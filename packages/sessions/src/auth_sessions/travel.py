"""Distances between positions on the Earth."""

from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

#: Mean radius of the Earth, in kilometres (IUGG).
_EARTH_KM = 6371.0088


@dataclass(frozen=True, slots=True)
class Position:
    """A position on the Earth, in degrees. North and east are positive."""

    latitude: float
    longitude: float


def distance_km(one: Position, other: Position) -> float:
    """Return the great-circle distance in kilometres, by the haversine formula."""
    north, further_north = radians(one.latitude), radians(other.latitude)
    half_east = radians(other.longitude - one.longitude) / 2
    chord = sin((further_north - north) / 2) ** 2 + cos(north) * cos(further_north) * sin(half_east) ** 2
    return 2 * _EARTH_KM * asin(min(1.0, sqrt(chord)))
