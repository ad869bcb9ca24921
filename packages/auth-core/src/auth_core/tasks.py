"""Celery tasks. Each takes an id and calls a function."""

from uuid import UUID

from celery import shared_task
from kombu.exceptions import OperationalError

from auth_core.messages import outbox
from auth_core.registries import sweeps


@shared_task(name="auth_core.deliver_message")  # type: ignore[untyped-decorator]  # Celery is untyped
def deliver_message(message_id: str) -> None:
    """Deliver one message of the outbox."""
    outbox.deliver(UUID(message_id))


def offer(message_id: UUID) -> bool:
    """Pass one message to a worker, in one try. Return whether the broker accepted it."""
    try:
        with deliver_message.app.pool.acquire(block=True) as connection:
            # `retry` covers publishing only. Without this, connecting to an unavailable broker would take seconds.
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0)
            deliver_message.apply_async(args=[str(message_id)], retry=False, connection=connection)
    except OperationalError:
        return False
    return True


@shared_task(name="auth_core.deliver_due")  # type: ignore[untyped-decorator]  # as above
def deliver_due() -> None:
    """Deliver messages that remained because a broker or worker was unavailable."""
    outbox.deliver_due()


@shared_task(name="auth_core.sweep")  # type: ignore[untyped-decorator]  # as above
def sweep() -> None:
    """Run every registered sweep."""
    for run in sweeps.values():
        run()
