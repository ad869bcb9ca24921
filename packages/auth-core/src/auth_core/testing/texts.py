"""Text messages as their recipients get them."""

import re

from auth_core.messages import outbox
from auth_core.messages.sms import MemoryBackend, Text

#: The value of `AUTH_CORE["SMS_BACKEND"]` while texts are captured.
BACKEND = "auth_core.messages.sms.MemoryBackend"


def delivered_texts() -> list[Text]:
    """Deliver the pending texts, empty the list of sent ones and return them."""
    outbox.deliver_due()
    texts, MemoryBackend.sent[:] = list(MemoryBackend.sent), []
    return texts


def the_text() -> Text:
    """Return the only delivered text."""
    (only,) = delivered_texts()
    return only


def code_in_text(text: Text) -> str:
    """Return the code in a text."""
    match = re.search(r"\b(\d{6,8})\b", text.body)
    assert match, "There is no code in this text."
    return match[1]
