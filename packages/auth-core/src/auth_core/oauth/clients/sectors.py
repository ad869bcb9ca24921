"""The sector of an application with pairwise ids: whose applications see the same id of a person.

Source: OpenID Connect Core section 8.1, OpenID Connect Dynamic Client Registration section 5.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from auth_core.errors import FieldError
from auth_core.oauth.clients.redirect_uris import LOOPBACK_HOSTS, is_web, why_not_allowed
from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent
from auth_core.oauth.models.application_policy import SubjectType
from auth_core.oauth_resource.keys.documents import DocumentFailed, fetch_answer, json_in

if TYPE_CHECKING:
    from auth_core.oauth.clients.application_values import ApplicationValues

#: The values that a sector comes from.
SECTOR_VALUES = frozenset({"subject_type", "sector_identifier_uri", "redirect_uris"})

#: The longest address of a sector, in characters.
LONGEST_ADDRESS = 512


def sector_of(values: "ApplicationValues") -> str:
    """Return the sector of an application with pairwise ids: a host. Empty if it has none.

    Without an address of its own it is the host of all redirect addresses. Every program has the same loopback addresses, and
    a private scheme has no host, so neither makes a sector.
    """
    if values["subject_type"] != SubjectType.PAIRWISE:
        return ""
    if values["sector_identifier_uri"]:
        return urlsplit(values["sector_identifier_uri"]).hostname or ""
    hosts = {urlsplit(uri).hostname or "" if is_web(uri) else "" for uri in values["redirect_uris"]}
    return hosts.pop() if len(hosts) == 1 and not hosts & LOOPBACK_HOSTS else ""


def problems_of_sector(values: "ApplicationValues") -> Iterator[FieldError]:
    """Yield what is wrong with the sector, without a look at other sites or at people."""
    address = values["sector_identifier_uri"]
    if values["subject_type"] not in set(SubjectType):
        yield FieldError("subject_type", "invalid", _("Unknown subject type."))
    if address and (len(address) > LONGEST_ADDRESS or not is_web(address) or why_not_allowed(address)):
        yield FieldError("sector_identifier_uri", "invalid", _("Enter an https address."))
    elif values["subject_type"] == SubjectType.PAIRWISE and not sector_of(values):
        text = _("Its redirect addresses have no single https host, so it needs the address of a sector.")
        yield FieldError("sector_identifier_uri", "required", text)


def is_site_asked(values: "ApplicationValues", before: "ApplicationValues | None") -> bool:
    """Return whether the site of the sector has to be asked: it or a redirect address is new."""
    address = values["sector_identifier_uri"]
    is_known = (
        before is not None
        and before["sector_identifier_uri"] == address
        and set(values["redirect_uris"]) <= set(before["redirect_uris"])
    )
    return bool(address) and not is_known


def problems_of_document(values: "ApplicationValues", before: "ApplicationValues | None") -> Iterator[FieldError]:
    """Yield a problem if the site of the sector does not name the application. It is asked when one of both changes.

    Without this check any application could join the sector of others, and compare what it knows of people with them.
    """
    if not is_site_asked(values, before):
        return
    listed = _listed_at(values["sector_identifier_uri"])
    if listed is None:
        text = _("This address does not answer with a JSON list of redirect addresses.")
        yield FieldError("sector_identifier_uri", "invalid", text)
    elif not set(values["redirect_uris"]) <= listed:
        text = _("The list at this address lacks a redirect address of the application.")
        yield FieldError("sector_identifier_uri", "invalid", text)


def problems_of_move(policy: ApplicationPolicy, subject_type: str, sector: str) -> Iterator[FieldError]:
    """Yield a problem if *policy* would get other ids of people who have used it. To the application they would be strangers.

    Args:
        policy: As it is stored.
        subject_type: After the change.
        sector: After the change.
    """
    is_pairwise = SubjectType.PAIRWISE in (subject_type, policy.subject_type)
    if not is_pairwise or (subject_type, sector) == (policy.subject_type, policy.sector):
        return
    models = (Authorization, Consent)
    if any(model.objects.filter(application=policy.application_id).exists() for model in models):  # type: ignore[attr-defined]  # Django adds it
        text = _("People use this application, and it would see other ids for them. Register another application.")
        yield FieldError("subject_type", "in_use", text)


def _listed_at(address: str) -> set[str] | None:
    """Return the redirect addresses that the document at *address* lists. ``None``: there is no such document."""
    try:
        listed = json_in(fetch_answer(address))
    except DocumentFailed:
        return None
    return {each for each in listed if isinstance(each, str)} if isinstance(listed, list) else None
