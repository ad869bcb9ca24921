"""How many unknown tokens one network may make this process ask an issuer about.

Anyone can make up opaque tokens, and each is one request to the issuer. The count is in this process: a site with this app
alone has no table for it.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import TooManyUnknownTokens

_MINUTE = 60

#: How many networks a process counts for. The one that was counted first is forgotten first.
_MOST_NETWORKS = 10_000


@dataclass(slots=True)
class _Count:
    """What was counted for one network since a moment of the monotonic clock."""

    since: float
    charged: int = 0


class UnknownTokens:
    """The counts of one issuer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def charge(self, network: str) -> None:
        """Count one token before the issuer is asked, so that requests at once do not get past the limit.

        Raises:
            TooManyUnknownTokens: the count of this minute is full.
        """
        now = monotonic()
        with self._lock:
            count = self._counts.get(network)
            if count is None or now - count.since >= _MINUTE:
                count = self._counts[network] = _Count(now)
                self._counts.move_to_end(network)
                while len(self._counts) > _MOST_NETWORKS:
                    self._counts.popitem(last=False)
            if count.charged >= resource.INTROSPECTION_UNKNOWN_PER_MINUTE:
                raise TooManyUnknownTokens(max(1, int(count.since + _MINUTE - now)))
            count.charged += 1

    def refund(self, network: str) -> None:
        """Give one charge back, because the token is active."""
        with self._lock:
            count = self._counts.get(network)
            if count is not None and count.charged:
                count.charged -= 1
