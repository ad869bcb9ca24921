"""The user model."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models, transaction
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from auth_core.ids import uuid7
from auth_core.models import EmailAddress
from auth_core.people.addresses import InvalidAddress, parse


class UserManager(BaseUserManager["User"]):
    """Creates users. An address is normalised before it is compared or stored."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a saved user with an unverified primary address.

        Raises:
            InvalidAddress: *email* is not an address.
        """
        address = parse(email)
        user = self.model(email=address.key, **fields)
        user.set_password(password)
        with transaction.atomic(using=self._db):
            user.save(using=self._db, force_insert=True)
            EmailAddress.objects.using(self._db).create(
                user=user, address=address.mailbox, key=address.key, is_primary=True
            )
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Return a saved user with all rights."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this address, in any spelling."""
        try:
            key = parse(username or "").key
        except InvalidAddress as error:
            raise self.model.DoesNotExist from error
        return self.get(email=key)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address.

    `email` is the key of the primary address. The address for delivery is in `auth_core.EmailAddress`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.CharField(
        _("email address"), max_length=320, unique=True, help_text=_("Normalised: case folded, domain as A-labels.")
    )
    username = models.CharField(_("username"), max_length=150, unique=True, null=True, blank=True)
    display_name = models.CharField(_("display name"), max_length=150, blank=True)
    locale = models.CharField(
        _("locale"), max_length=16, blank=True, help_text=_("BCP 47. Empty: the browser's language.")
    )
    timezone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("IANA name. Empty: UTC."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Whether this person may sign in."))
    is_staff = models.BooleanField(
        _("staff"), default=False, help_text=_("Whether this person may use the admin site.")
    )
    created_at = models.DateTimeField(_("created at"), default=now, editable=False)

    objects = UserManager()

    #: `email` holds the key of an address, so that `auth_core.people` compares it exactly.
    stores_address_keys: ClassVar[bool] = True

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        swappable = "AUTH_USER_MODEL"
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.email

    @classmethod
    def normalize_username(cls, username: Any) -> Any:
        """Return *username* unchanged. `parse` has normalised the address, and NFKC cannot change an A-label domain."""
        return username

    def get_full_name(self) -> str:
        """Return the name shown to others."""
        return self.display_name

    def get_short_name(self) -> str:
        """Return the name shown to others."""
        return self.display_name
