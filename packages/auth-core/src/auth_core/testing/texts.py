"""Text messages, as their readers find them."""

import re

from auth_core.messages import outbox
from auth_core.messages.sms import MemoryBackend, Text

#: What `AUTH_CORE["SMS_BACKEND"]` names while texts are captured.
BACKEND = "auth_core.messages.sms.MemoryBackend"


def delivered_texts() -> list[Text]:
    """Deliver what waits, and return what came; the box is empty afterwards."""
    outbox.deliver_due()
    came, MemoryBackend.sent[:] = list(MemoryBackend.sent), []
    return came


def the_text() -> Text:
    """Return the only text there is."""
    (only,) = delivered_texts()
    return only


def code_in_text(text: Text) -> str:
    """Return the code in a text."""
    found = re.search(r"\b(\d{6,8})\b", text.body)
    assert found, "There is no code in this text."
    return found[1]
