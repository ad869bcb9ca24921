"""The reference page of all recorded events: docs/reference/events.md."""
