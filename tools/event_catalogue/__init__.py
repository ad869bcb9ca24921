"""The page of every event that the service records: docs/reference/events.md."""
