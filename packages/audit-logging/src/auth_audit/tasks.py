"""Celery tasks; imported by workers alone."""

from celery import shared_task

from auth_audit.deliver import delivery


@shared_task(name="auth_audit.seal")  # type: ignore[untyped-decorator]  # Celery is untyped
def seal() -> None:
    """Seal what is there for good, and tell everybody outside."""
    delivery.seal_and_deliver()
