"""Consent: what the page shows, what is remembered, and when a person is asked again.

Source: OAuth 2.1 sections 7.3 and 10.7.1, OpenID Connect Core section 3.1.2.4.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from auth_core.assurance.evidence import SessionFacts
from auth_core.crypto.secrets import code_digest, same
from auth_core.events import Event, record
from auth_core.oauth.authorization.details import Details
from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.clients.authorization_details import sentences_of
from auth_core.oauth.clients.document_ids import host_of
from auth_core.oauth.clients.redirect_uris import is_web, web_host_of
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, ClientDocument, Consent, Resource
from auth_core.oauth.registries import OFFLINE_ACCESS, find_scope
from auth_core.request.client import Client
from auth_core.users import UserLike

#: What the page says about an application, from its policy.
_FACTS = ("client_uri", "logo_uri", "policy_uri", "tos_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows.

    Args:
        name: The name of the application, as its owner wrote it.
        host: The host of the redirect address, which no one else can receive answers for. Empty for an application on the
            person's own device.
        facts: Addresses of the application, by their name in the policy.
        scopes: Scopes, each with its sentence.
        resources: The names of the resources.
        details: What people read about each of the authorization details.
        lifetime: How long the access lasts at most. ``None``: until the person signs out.
        document_host: The host of the client, if it describes itself. Its name is then only what it says.
        document: The digest of all that its document says. Empty: it has none.
        is_self_registered: Whether the application registered itself, so nobody of the site has looked at what it says.
    """

    name: str
    host: str
    facts: Mapping[str, str]
    scopes: Sequence[tuple[str, str]]
    resources: Sequence[str]
    details: Sequence[str] = ()
    lifetime: timedelta | None = None
    document_host: str = ""
    document: str = ""
    is_self_registered: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in hex."""
        lists = [[list(pair) for pair in self.scopes], list(self.resources), list(self.details)]
        seconds = None if self.lifetime is None else self.lifetime.total_seconds()
        described = [self.document_host, self.document, self.is_self_registered]
        return _digest([self.name, self.host, described, dict(self.facts), *lists, seconds])


def shown_for(details: Details) -> Shown:
    """Return what the page shows for this request, in the current language."""
    scopes = [(name, sentence_of(name, details.resources)) for name in details.scopes]
    shown = _shown(details, scopes, [row.name or row.uri for row in details.resources])
    return replace(shown, details=sentences_of(details.authorization_details))


def binding_of(details: Details, session: SessionFacts) -> str:
    """Return what the form of the page carries: it binds an approval to this request, this session and what was shown."""
    with translation.override(None):
        content = shown_for(details).digest
    return code_digest(content, context=f"oauth_consent.{details.row.pk}.{session.id}")


def is_needed(details: Details, user: UserLike) -> bool:
    """Return whether *user* has to consent.

    Applications of the operator are not asked for, and neither is what the person has agreed to and what has not changed
    since. Any program on a computer can have a loopback address or a private scheme, so consent is always asked for there
    (section 10.7.1). Authorization details are about one matter, such as a payment, so nothing is remembered about them.
    """
    if not is_rememberable(details) or details.authorization_details:
        return True
    if details.application.is_first_party:
        return False
    consent = Consent.objects.filter(user=user.pk, application=details.application.pk, revoked_at=None).first()
    if consent is None or not set(details.scopes) <= set(consent.scope.split()):
        return True
    return not set(details.resource_uris) <= set(consent.resources) or _has_changed(consent, details)


def is_rememberable(details: Details) -> bool:
    """Return whether a consent may be remembered, or left out for an application of the operator."""
    return is_web(text_of(details.row.parameters, "redirect_uri"))


def remember(details: Details, *, user: UserLike, session: SessionFacts, client: Client) -> None:
    """Remember what *user* agreed to, beside what they agreed to before and what has not changed since.

    Another person who acts in the session agrees to nothing for later.
    """
    if not is_rememberable(details) or session.actor is not None:
        return
    with transaction.atomic(durable=True):
        rows = Consent.objects.select_for_update()
        consent = rows.filter(user=user.pk, application=details.application.pk).first()
        is_standing = consent is not None and consent.revoked_at is None and not _has_changed(consent, details)
        scopes, resources = list(details.scopes), list(details.resource_uris)
        if consent is not None and is_standing:
            scopes = list(dict.fromkeys([*consent.scope.split(), *scopes]))
            resources = list(dict.fromkeys([*consent.resources, *resources]))
        Consent.objects.update_or_create(
            user_id=user.pk,
            application_id=details.application.pk,
            defaults={
                "scope": " ".join(scopes),
                "resources": resources,
                "shown_digest": _remembered_digest(details, scopes, resources),
                "given_at": timezone.now(),
                "revoked_at": None,
            },
        )
        record(
            Event(
                name=OAuthEvent.CONSENT_GIVEN,
                subject=user,
                session=session.id,
                application=details.application.id,
                client=client,
                data={"scope": " ".join(details.scopes), "resources": list(details.resource_uris)},
            )
        )


def sentence_of(name: str, resources: Iterable[Resource]) -> str:
    """Return the sentence of a scope: that of a package or the site, else that of a resource, else its name."""
    scope = find_scope(name)
    if scope is not None:
        return str(scope.sentence)
    return next((str(row.scopes[name]) for row in resources if name in row.scopes), name)


def _has_changed(consent: Consent, details: Details) -> bool:
    """Return whether the application, or a scope or resource that was agreed to, reads differently now."""
    return not same(consent.shown_digest, _remembered_digest(details, consent.scope.split(), consent.resources))


def _remembered_digest(details: Details, scopes: Sequence[str], resources: Sequence[str]) -> str:
    rows = list(Resource.objects.filter(uri__in=resources, is_active=True).order_by("uri")) if resources else []
    with translation.override(None):
        sentences = [(name, sentence_of(name, rows)) for name in sorted(scopes)]
        return _shown(details, sentences, [f"{row.uri} {row.name}" for row in rows]).digest


def _shown(details: Details, scopes: Sequence[tuple[str, str]], resources: Sequence[str]) -> Shown:
    is_offline = any(name == OFFLINE_ACCESS for name, _sentence in scopes)
    application = details.application
    rows = ApplicationPolicy.objects.filter(pk=application.id)
    facts = rows.values(*_FACTS, registration=F("dynamic_registration")).first() or {}
    is_self_registered = facts.pop("registration", None) is not None
    if is_self_registered and not _is_own_logo(facts["logo_uri"], application):
        facts["logo_uri"] = ""
    return Shown(
        name=application.name or application.client_id,
        host=web_host_of(text_of(details.row.parameters, "redirect_uri")),
        # A link of another scheme could run a script in this page.
        facts={name: address if is_web(address) else "" for name, address in facts.items()},
        scopes=scopes,
        resources=resources,
        lifetime=application.lifetime_of_authorizations if is_offline else None,
        document_host=host_of(application.client_id) if application.has_document else "",
        document=_document_of(application) if application.has_document else "",
        is_self_registered=is_self_registered,
    )


def _document_of(application: RegisteredApplication) -> str:
    rows = ClientDocument.objects.filter(application=application.pk)
    return rows.values_list("digest", flat=True).first() or ""


def _is_own_logo(address: str, application: RegisteredApplication) -> bool:
    """Return whether a logo is of a host that receives answers. An application could register that of a bank (RFC 7591 section 5)."""
    return web_host_of(address) in {web_host_of(uri) for uri in application.redirect_uris} - {""}


def place_of(shown: Shown) -> str:
    """Return where answers go, in words."""
    return shown.host or _("an application on your device")


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
