"""Gateways that take texts over HTTP, each a backend of `auth_core.messages.sms`.

Both go through `auth_core.runtime.http_client`: TLS, no redirects, a bounded answer in a bounded
time. What a gateway answers is not kept or told, because it repeats number and text.
"""

import base64
import json
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from auth_core.conf import core
from auth_core.messages.sms import Text
from auth_core.runtime.http_client import OutboundFailed, fetch
from auth_core.text import Pattern

#: What may stand in a header without a doubt about where it ends (RFC 9110 section 5.5).
_PRINTABLE = Pattern(r"[\x21-\x7e]+", at_most=4096)

#: RFC 9110 section 15.3.
_SUCCESS = range(200, 300)

_ACCOUNT_SID = Pattern(r"AC[0-9a-fA-F]{32}", at_most=34)
_SERVICE_SID = Pattern(r"MG[0-9a-fA-F]{32}", at_most=34)


class TextNotTaken(Exception):
    """The gateway did not take a text; only its status is told."""

    def __init__(self, status: int) -> None:
        super().__init__(f"The gateway answered {status}.")
        self.status = status


class HttpBackend:
    """Any gateway that takes ``{"to", "body", "idempotency_key"}`` as JSON, with a bearer token."""

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Hand *text* over.

        Raises:
            TextNotTaken: the answer was not 2xx.
            OutboundRefused: ``SMS_HTTP_URL`` is an address that may not be asked.
            OutboundFailed: no answer in time, or too long a one; the text may have been sent, and the
                gateway knows the key when it comes again.
        """
        told = {"to": text.number, "body": text.body, "idempotency_key": idempotency_key}
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {core.SMS_HTTP_TOKEN}"}
        _post(core.SMS_HTTP_URL, json.dumps(told).encode(), headers)

    @staticmethod
    def problems() -> list[str]:
        """Return what is wrong with the settings, without a value of them."""
        return [
            *(
                []
                if _is_address(core.SMS_HTTP_URL)
                else ["SMS_HTTP_URL must be an address such as https://sms.example.org/send"]
            ),
            *([] if _PRINTABLE.fullmatch(core.SMS_HTTP_TOKEN) else ["SMS_HTTP_TOKEN must be a token in ASCII"]),
        ]


class TwilioBackend:
    """Twilio's Messages resource, by plain HTTP.

    It knows no idempotency key: a text whose answer was lost comes twice, with the same
    code. Source: Twilio, Programmable Messaging, "Messages resource", create.
    """

    address = "https://api.twilio.com"

    def send(self, text: Text, *, idempotency_key: str) -> None:
        """Hand *text* over.

        Raises:
            TextNotTaken: the answer was not 2xx.
            OutboundFailed: no answer in time, or too long a one; the text may have been sent.
        """
        sender = "MessagingServiceSid" if _SERVICE_SID.fullmatch(core.TWILIO_FROM) else "From"
        form = urlencode({"To": text.number, sender: core.TWILIO_FROM, "Body": text.body})
        who = base64.b64encode(f"{core.TWILIO_ACCOUNT_SID}:{core.TWILIO_AUTH_TOKEN}".encode()).decode()
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {who}"}
        url = f"{self.address}/2010-04-01/Accounts/{core.TWILIO_ACCOUNT_SID}/Messages.json"
        _post(url, form.encode(), headers)

    @staticmethod
    def problems() -> list[str]:
        """Return what is wrong with the settings, without a value of them."""
        is_account = _ACCOUNT_SID.fullmatch(core.TWILIO_ACCOUNT_SID)
        return [
            *([] if is_account else ["TWILIO_ACCOUNT_SID must be AC and 32 hexadecimal digits"]),
            *([] if core.TWILIO_AUTH_TOKEN else ["TWILIO_AUTH_TOKEN is empty"]),
            *([] if core.TWILIO_FROM else ["TWILIO_FROM must be a number, or the SID of a messaging service"]),
        ]


def _is_address(url: str) -> bool:
    """Say whether *url* could be asked at all; which networks may be is decided when it is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.username is None


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post *body*; anything but 2xx raises, a redirect as well: it would take number and code elsewhere."""
    try:
        answer = fetch(url, method="POST", body=body, headers=headers)
    except OutboundFailed as problem:
        # Without its cause, whose text names the address and may quote a header.
        raise OutboundFailed(str(problem)) from None
    if answer.status not in _SUCCESS:
        raise TextNotTaken(answer.status)
