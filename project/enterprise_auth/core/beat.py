"""The scheduler of ``celery beat``. Only beat imports it."""

from typing import Any

from celery.beat import Scheduler

from enterprise_auth.core.heartbeat import touch_heartbeat


class BeatScheduler(Scheduler):  # type: ignore[misc]  # Celery has no types
    """Keeps the schedule in memory, and touches the heartbeat.

    Celery's own keeps a pickled file, which needs a writable folder. Ours needs none: the short intervals start again
    after a restart, and the long one is at fixed times.
    """

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Send what is due. Return how many seconds to sleep."""
        touch_heartbeat()
        delay: float = super().tick(*args, **kwargs)
        return delay
