"""The mails that a running service wrote to a folder."""

import email
import email.policy
import re
import time
from pathlib import Path


class Mailbox:
    """A mailbox that returns each mail once, in order of arrival.

    Args:
        folder: The folder in `EMAIL_FILE_PATH`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: set[str] = set()

    def next_to(self, address: str) -> str:
        """Wait for the next mail to *address* and return its text.

        Raises:
            AssertionError: no mail arrives within ten seconds.
        """
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            for path in sorted(self.folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
                for text in path.read_text().split("\n" + "-" * 79 + "\n"):
                    message = email.message_from_string(text.lstrip("\n"), policy=email.policy.default)
                    key, body = str(message["Message-ID"]), message.get_body(("plain",))
                    if body is not None and key not in self._seen and address in str(message["To"]):
                        self._seen.add(key)
                        return str(body.get_content())
            time.sleep(0.05)
        raise AssertionError(f"No mail to {address} arrived.")

    def link_to(self, address: str) -> str:
        """Return the link in the next mail to *address*."""
        match = re.search(r"^https://\S+$", self.next_to(address), re.MULTILINE)
        assert match, "The mail contains no link."
        return match[0]
