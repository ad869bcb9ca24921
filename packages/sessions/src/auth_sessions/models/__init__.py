"""The models of this package, one per file."""

from auth_sessions.models.allowance import SessionAllowance
from auth_sessions.models.cache_epoch import CacheEpoch
from auth_sessions.models.device import Device
from auth_sessions.models.not_me_link import NotMeLink
from auth_sessions.models.session import Session

__all__ = ["CacheEpoch", "Device", "NotMeLink", "Session", "SessionAllowance"]
