"""The app ``auth_oauth``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from auth_core.oauth_resource.registries import token_stores
from auth_core.registries import key_rotations, outbox_channels, sweeps


class AuthOAuthConfig(AppConfig):
    """The OAuth and OpenID Connect provider. `oauth2_provider` stands before it in ``INSTALLED_APPS``."""

    name = "auth_core.oauth"
    label = "auth_oauth"
    verbose_name = _("OAuth and OpenID Connect")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers and register checks, sweeps, scopes, claims and the rotation of keys."""
        from auth_core.oauth import checks, receivers, sweep  # noqa: F401, PLC0415 - checks register by import; models exist only now
        from auth_core.oauth.clients import registry  # noqa: PLC0415 - as above
        from auth_core.oauth.documents import sweep as documents_sweep  # noqa: PLC0415 - as above
        from auth_core.oauth.keys import rotation, subjects  # noqa: PLC0415 - as above
        from auth_core.oauth.logout import backchannel  # noqa: PLC0415 - as above
        from auth_core.oauth.tokens import standard_claims, store  # noqa: PLC0415 - as above

        backchannel.connect()
        receivers.connect(self)
        outbox_channels.register(backchannel.CHANNEL, backchannel.deliver)
        registry.connect()
        subjects.connect()
        standard_claims.register()
        token_stores.register("auth_oauth", store.OwnTokens())
        key_rotations.register("signing", rotation.rotate_now)
        sweeps.register("auth_oauth.expired", sweep.delete_expired)
        sweeps.register("auth_oauth.client_documents", documents_sweep.remove_unused)
        sweeps.register("auth_oauth.signing_keys", rotation.rotate_due_keys)
