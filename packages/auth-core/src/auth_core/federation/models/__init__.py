"""The models of this app."""

from auth_core.federation.models.connection import Connection
from auth_core.federation.models.spent_state import SpentState

__all__ = ["Connection", "SpentState"]
