"""What an application may do, beside the row of django-oauth-toolkit."""

from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.levels import Assurance
from auth_core.fields import EncryptedTextField
from auth_core.ids import uuid7
from auth_core.models.shown_once import ShownOnce
from auth_core.oauth.conf import HIGH, application_model

#: What may sign the ID tokens of an application, and userinfo. The first is the default of OpenID Connect.
_ALGORITHMS = ("RS256", "ES256", "PS256", "EdDSA")


class TokenFormat(models.TextChoices):
    """The format of access tokens."""

    JWT = "jwt", _("JSON web token")
    OPAQUE = "opaque", _("Opaque")


class AuthMethod(models.TextChoices):
    """How an application authenticates. The values are those of the OAuth metadata."""

    BASIC = "client_secret_basic", _("Secret in the header")
    POST = "client_secret_post", _("Secret in the body")
    PRIVATE_KEY = "private_key_jwt", _("Assertion signed with a private key")
    NONE = "none", _("None")


class SubjectType(models.TextChoices):
    """What an application sees as the id of a person."""

    PUBLIC = "public", _("The same for all applications")
    PAIRWISE = "pairwise", _("Another for each sector")


class Profile(models.TextChoices):
    """What an application must do more than others."""

    HIGH = HIGH, _("High (FAPI 2.0 Security Profile)")


class ApplicationPolicy(ShownOnce):
    """The policy of one application of django-oauth-toolkit.

    It is a table of its own, so that a new version of django-oauth-toolkit can add columns to its own without a migration
    here. `id` is the public id of the application: sessions, events and assignments of roles name it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    application = models.OneToOneField(
        application_model(), on_delete=models.CASCADE, related_name="auth_policy", verbose_name=_("application")
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Without it, the next request of the application is refused.")
    )
    is_first_party = models.BooleanField(
        _("first party"),
        default=False,
        help_text=_("Whether it belongs to the operator. People are not asked to consent."),
    )
    is_service_account = models.BooleanField(
        _("service account"), default=False, help_text=_("Whether it may hold roles and act for itself.")
    )
    grant_types = models.CharField(
        _("grant types"),
        max_length=255,
        blank=True,
        help_text=_("Names of OAuth grant types, separated by spaces. Empty: as the grant type of the application."),
    )
    scopes = models.TextField(
        _("scopes"),
        blank=True,
        help_text=_("Scopes that it may ask for besides those of OpenID Connect, separated by spaces."),
    )
    auth_method = models.CharField(
        _("authentication"),
        max_length=32,
        blank=True,
        choices=AuthMethod.choices,
        help_text=_("Empty: either of the two methods with a secret, if it has one."),
    )
    previous_secret = models.CharField(
        _("previous secret"), max_length=255, blank=True, editable=False, help_text=_("Hash of the secret before.")
    )
    previous_secret_until = models.DateTimeField(
        _("previous secret until"),
        null=True,
        blank=True,
        help_text=_("Until when the secret before is accepted as well."),
    )
    jwks = models.TextField(
        _("public keys"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Public keys that verify its assertions: a JSON Web Key Set."),
    )
    jwks_uri = models.CharField(
        _("address of public keys"),
        max_length=512,
        blank=True,
        default="",
        db_default="",
        help_text=_("Where its key set is fetched from, if it is not written here."),
    )
    profile = models.CharField(
        _("profile"),
        max_length=8,
        blank=True,
        default="",
        db_default="",
        choices=Profile.choices,
        help_text=_("Empty: that of the site."),
    )
    require_par = models.BooleanField(
        _("pushed requests required"),
        default=False,
        db_default=False,
        help_text=_("Whether it must push its authorization requests (RFC 9126)."),
    )
    require_dpop = models.BooleanField(
        _("DPoP required"),
        default=False,
        db_default=False,
        help_text=_("Whether its tokens are bound to a key of its own (RFC 9449)."),
    )
    required_assurance = models.CharField(
        _("required assurance"),
        max_length=4,
        blank=True,
        choices=[(level.acr, level.acr) for level in Assurance if level],
        help_text=_("Level that a session must have proved."),
    )
    allowed_groups = models.ManyToManyField(
        "auth.Group",
        blank=True,
        related_name="+",
        verbose_name=_("allowed groups"),
        help_text=_("Only members may use it. Empty: everyone."),
    )
    token_format = models.CharField(
        _("format of access tokens"), max_length=8, choices=TokenFormat.choices, default=TokenFormat.JWT
    )
    access_token_lifetime = models.DurationField(
        _("lifetime of access tokens"), null=True, blank=True, help_text=_("Empty: that of the site. Never more.")
    )
    refresh_token_lifetime = models.DurationField(
        _("lifetime of authorizations"), null=True, blank=True, help_text=_("Empty: that of the site. Never more.")
    )
    rotates_refresh_tokens = models.BooleanField(
        _("rotates refresh tokens"),
        default=False,
        help_text=_("Whether each refresh token works once. Those of public applications always do."),
    )
    id_token_algorithm = models.CharField(
        _("algorithm of ID tokens"),
        max_length=8,
        blank=True,
        choices=[(name, name) for name in _ALGORITHMS],
        help_text=_("Empty: RS256, which OpenID Connect makes the default."),
    )
    userinfo_algorithm = models.CharField(
        _("algorithm of userinfo"),
        max_length=8,
        blank=True,
        default="",
        db_default="",
        choices=[(name, name) for name in _ALGORITHMS],
        help_text=_("Empty: userinfo is not signed."),
    )
    subject_type = models.CharField(
        _("subject type"), max_length=8, choices=SubjectType.choices, default=SubjectType.PUBLIC
    )
    sector = models.CharField(
        _("sector"),
        max_length=255,
        blank=True,
        help_text=_("Host that shares pairwise ids. Empty: that of its redirect."),
    )
    backchannel_logout_uri = models.CharField(
        _("back-channel logout URI"),
        max_length=512,
        blank=True,
        help_text=_("Where the end of a session is posted to."),
    )
    backchannel_session_required = models.BooleanField(_("back-channel logout names the session"), default=True)
    client_uri = models.CharField(_("home page"), max_length=512, blank=True)
    logo_uri = models.CharField(_("logo"), max_length=512, blank=True)
    policy_uri = models.CharField(_("privacy policy"), max_length=512, blank=True)
    tos_uri = models.CharField(_("terms of service"), max_length=512, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    unread = EncryptedTextField(
        purpose="auth_oauth.application.unread",
        null=True,
        help_text=_("A new secret, encrypted, until the admin page has shown it once."),
    )

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")

    def __str__(self) -> str:
        return str(self.id)

    @property
    def uses_secret(self) -> bool:
        """Whether it authenticates by a secret. A public application has none, and neither has one with a key."""
        row: Any = self.application
        return bool(row.client_type != row.CLIENT_PUBLIC and self.auth_method != AuthMethod.PRIVATE_KEY)
