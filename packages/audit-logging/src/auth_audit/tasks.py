"""Celery tasks. Only workers import this module."""

from celery import shared_task

from auth_audit.deliver import delivery


@shared_task(name="auth_audit.seal")  # type: ignore[untyped-decorator]  # Celery is untyped
def seal() -> None:
    """Seal the final entries and deliver them to the sinks."""
    delivery.seal_and_deliver()
