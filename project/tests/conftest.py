"""What the composition's tests share; their fixtures are the kit's."""

from auth_core.testing.factories import PASSWORD

__all__ = ["PASSWORD"]
