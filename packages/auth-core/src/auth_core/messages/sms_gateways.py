"""Backends of `auth_core.messages.sms` for gateways with an HTTP API.

Both use `auth_core.runtime.http_client`: TLS, no redirects, limits for size and time of the response. The response is
neither stored nor logged, because it repeats number and text.
"""

import base64
import json
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from auth_core.conf import core
from auth_core.messages.sms import Text
from auth_core.runtime.http_client import OutboundFailed, fetch
from auth_core.text import Pattern

#: Characters that are safe in a header (RFC 9110 section 5.5).
_PRINTABLE = Pattern(r"[\x21-\x7e]+", at_most=4096)

#: RFC 9110 section 15.3.
_SUCCESS = range(200, 300)

_ACCOUNT_SID = Pattern(r"AC[0-9a-fA-F]{32}", at_most=34)
_SERVICE_SID = Pattern(r"MG[0-9a-fA-F]{32}", at_most=34)


class TextNotTaken(Exception):
    """The gateway did not accept a text. The error contains only its status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The gateway answered {status}.")
        self.status = status


class HttpBackend:
    """Any gateway that accepts ``{"to", "body", "idempotency_key"}`` as JSON, with a bearer token."""

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Send *text* to the gateway.

        Raises:
            TextNotTaken: the status was not 2xx.
            OutboundRefused: ``SMS_HTTP_URL`` is an address that is not allowed.
            OutboundFailed: the response was late or too long. The text may have been sent, and the gateway recognises
                the key of the next attempt.
        """
        payload = {"to": text.number, "body": text.body, "idempotency_key": idempotency_key}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {core.SMS_HTTP_TOKEN}"}
        _post(core.SMS_HTTP_URL, json.dumps(payload).encode(), headers)

    @staticmethod
    def problems() -> list[str]:
        """Return the errors of the settings, without their values."""
        return [
            *(
                []
                if _is_address(core.SMS_HTTP_URL)
                else ["SMS_HTTP_URL must be a URL such as https://sms.example.org/send"]
            ),
            *(
                []
                if _PRINTABLE.fullmatch(core.SMS_HTTP_TOKEN)
                else ["SMS_HTTP_TOKEN must consist of printable ASCII characters without spaces"]
            ),
        ]


class TwilioBackend:
    """Twilio's Messages resource, over plain HTTP.

    It has no idempotency key. A text whose response was lost is sent twice, with the same code. Source: Twilio,
    Programmable Messaging, "Messages resource", create.
    """

    address = "https://api.twilio.com"

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Send *text* to Twilio.

        Raises:
            TextNotTaken: the status was not 2xx.
            OutboundFailed: the response was late or too long. The text may have been sent.
        """
        sender = "MessagingServiceSid" if _SERVICE_SID.fullmatch(core.TWILIO_FROM) else "From"
        form = urlencode({"To": text.number, sender: core.TWILIO_FROM, "Body": text.body})
        credentials = base64.b64encode(f"{core.TWILIO_ACCOUNT_SID}:{core.TWILIO_AUTH_TOKEN}".encode()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {credentials}"}
        url = f"{self.address}/2010-04-01/Accounts/{core.TWILIO_ACCOUNT_SID}/Messages.json"
        _post(url, form.encode(), headers)

    @staticmethod
    def problems() -> list[str]:
        """Return the errors of the settings, without their values."""
        is_account = _ACCOUNT_SID.fullmatch(core.TWILIO_ACCOUNT_SID)
        return [
            *([] if is_account else ["TWILIO_ACCOUNT_SID must be AC followed by 32 hexadecimal digits"]),
            *([] if core.TWILIO_AUTH_TOKEN else ["TWILIO_AUTH_TOKEN is empty"]),
            *([] if core.TWILIO_FROM else ["TWILIO_FROM must be a phone number or the SID of a messaging service"]),
        ]


def _is_address(url: str) -> bool:
    """Return whether *url* is a valid URL. Whether its network is allowed is checked when it is requested."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.username is None


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post *body*. Any status but 2xx raises, including a redirect, which would send number and code elsewhere."""
    try:
        response = fetch(url, method="POST", body=body, headers=headers)
    except OutboundFailed as problem:
        # Without its cause, whose text contains the URL and may quote a header.
        raise OutboundFailed(str(problem)) from None
    if response.status not in _SUCCESS:
        raise TextNotTaken(response.status)
