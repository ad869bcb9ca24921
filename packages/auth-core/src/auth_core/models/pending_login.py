"""Pending logins: begun, and not yet granted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import Evidence
from auth_core.assurance.levels import Assessment, Demand
from auth_core.conf import core
from auth_core.contracts import Purpose, Transport
from auth_core.crypto.secrets import digest, new_secret, same, spend
from auth_core.errors import LoginExpired
from auth_core.ids import uuid7
from auth_core.models.identity import Identity
from auth_core.runtime.batches import delete_in_batches
from auth_core.users import AccountLike, UserLike

TOKEN_PREFIX = "elt"  # noqa: S105 - lets secret scanners identify the token


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The caller who continues a login, as described by their request.

    Args:
        purposes: The purposes that the called address serves.
        transport: The only transport that it serves. ``None``: the login's own.
        browser_secret: The value of their ``login`` cookie.
        session_id: Public id of their session. A step-up requires its own session.
        application_id: Public id of the application that they sign in to. Never from a request body.
        actor_id: Public id of the person who signs in as another one. Never from a request body.
    """

    purposes: frozenset[Purpose]
    transport: Transport | None = None
    browser_secret: str = field(default="", repr=False)
    session_id: UUID | None = None
    application_id: UUID | None = None
    actor_id: UUID | None = None


class PendingLoginManager(models.Manager["PendingLogin"]):
    """One verb per use. Pending logins are created and found only here."""

    def open(self, **columns: Any) -> "PendingLogin":
        """Begin a login and save it. See `begin`."""
        login = self.begin(**columns)
        login.keep()
        return login

    def begin(
        self,
        *,
        user: UserLike | None,
        backend: str,
        purpose: Purpose,
        transport: Transport,
        evidence: Sequence[Evidence] = (),
        assessment: Assessment | None = None,
        browser_secret: str = "",
        application_id: UUID | None = None,
        actor_id: UUID | None = None,
        session_id: UUID | None = None,
        provider: str = "",
        continue_to: str = "",
    ) -> "PendingLogin":
        """Begin a login. The caller gets only its `token`.

        The row is not saved yet. A login that is granted at once is never saved.

        Args:
            user: The user, or ``None`` for an unknown person. Every answer then fails.
            backend: Dotted path of the authentication backend that named *user*.
            browser_secret: The value of this browser's ``login`` cookie. Empty with a token.
            application_id: Public id of the application that the login is for.
            actor_id: Public id of the person who signs in as *user*.
            session_id: The session that a step-up raises.
            provider: Name of the identity provider that the login began with.
        """
        assessment = assessment or Assessment()
        login = self.model(
            user=cast("Any", user),
            backend=backend,
            purpose=purpose.value,
            transport=transport.value,
            evidence_stored=[item.to_json() for item in evidence],
            score=assessment.score,
            reasons=[reason.to_json() for reason in assessment.reasons],
            demand_stored=assessment.demand.value,
            browser_digest=digest(browser_secret) if browser_secret else "",
            application_id=application_id,
            actor_id=actor_id,
            session_id=session_id,
            provider=provider,
            continue_to=continue_to,
            attempts_left=core.PENDING_LOGIN_ATTEMPTS,
            expires_at=timezone.now() + core.PENDING_LOGIN_LIFETIME,
        )
        login.token = new_secret(TOKEN_PREFIX)
        login.token_digest = digest(login.token)
        return login

    def find(self, token: str, caller: "Caller") -> "PendingLogin":
        """Return the live login of *token*, if it belongs to this caller.

        Raises:
            LoginExpired: unknown, closed, expired, without attempts, or begun by another browser,
                for another purpose, application or actor, or with another transport. They all look the same.
        """
        login = self.select_related("user", "user__auth_identity").filter(token_digest=digest(token)).first()
        if login is None or not login.serves(caller):
            raise LoginExpired
        login.token = token
        return login

    def of_browser(self, caller: "Caller") -> "PendingLogin":
        """Return the newest live login of this caller's browser.

        Pages keep no token. The login is found by the browser's secret, which `serves` also checks.

        Raises:
            LoginExpired: there is none.
        """
        secret = caller.browser_secret
        logins = self.select_related("user", "user__auth_identity").filter(
            browser_digest=digest(secret), closed_at=None, purpose__in=[purpose.value for purpose in caller.purposes]
        )
        login = logins.order_by("-pk").first() if secret else None
        if login is None or not login.serves(caller):
            raise LoginExpired
        return login

    def end_of_browser(self, secret: str) -> int:
        """End the unfinished logins of a browser, and return their number.

        Args:
            secret: The value of its ``login`` cookie. Empty: the browser has no login.
        """
        if not secret:
            return 0
        now = timezone.now()
        return self.filter(browser_digest=digest(secret), closed_at=None, expires_at__gt=now).update(closed_at=now)

    def end_all_of(self, user: UserLike, *, proved_with: str = "") -> int:
        """End the unfinished logins of *user*, and return their number. Their evidence is no longer valid.

        So do the logins in which *user* is the actor.

        Args:
            proved_with: Only those that have proved this credential (`Evidence.credential`). Empty: all.
        """
        own_id = Identity.objects.filter(user=user.pk).values("subject_id")
        concerned = Q(user=user.pk) | Q(actor_id=Subquery(own_id[:1]))
        logins = self.filter(concerned, closed_at=None, expires_at__gt=timezone.now())
        if proved_with:
            keys = [login.pk for login in logins if proved_with in {item.credential for item in login.evidence}]
            logins = logins.filter(pk__in=keys)
        return logins.update(closed_at=timezone.now())


class PendingLogin(models.Model):
    """A login that has begun and is not yet granted.

    The row is the only record of progress: the evidence so far, and the demand. Steps
    derive the progress from it. There is no record of which steps ran.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, in hex."))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    backend = models.CharField(max_length=255, help_text=_("Dotted path of the authentication backend."))
    purpose = models.CharField(max_length=16, choices=[(purpose.value, purpose.value) for purpose in Purpose])
    transport = models.CharField(max_length=8, choices=[(transport.value, transport.value) for transport in Transport])
    application_id = models.UUIDField(null=True, blank=True, help_text=_("Public id of the application."))
    actor_id = models.UUIDField(
        null=True, blank=True, help_text=_("Public id of the person who signs in as the user, if it is another one.")
    )
    session_id = models.UUIDField(null=True, blank=True, help_text=_("The session that a step-up raises."))
    provider = models.CharField(max_length=64, blank=True, help_text=_("The provider that a link adds."))
    continue_to = models.CharField(max_length=2000, blank=True, help_text=_("Where the browser goes afterwards."))
    browser_digest = models.CharField(
        max_length=64, blank=True, help_text=_("SHA-256 of the browser's secret. Empty with a token.")
    )
    evidence_stored = models.JSONField(
        db_column="evidence", default=list, help_text=_("Evidence so far: method, time and credential.")
    )
    score = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Risk, 0 to 100. Empty: not assessed."))
    reasons = models.JSONField(default=list, help_text=_("Risk signals with their weights."))
    demand_stored = models.CharField(
        db_column="demand", max_length=16, choices=[(demand.value, demand.value) for demand in Demand]
    )
    choice = models.CharField(max_length=64, blank=True, help_text=_("Id of the last chosen factor."))
    attempts_left = models.PositiveSmallIntegerField(help_text=_("Remaining answers."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    #: The caller's secret, known only to the request that opened the login or sent it.
    token: str = ""

    objects = PendingLoginManager()

    class Meta:
        verbose_name = _("pending login")
        verbose_name_plural = _("pending logins")
        indexes = [
            models.Index(fields=["browser_digest", "-id"], condition=Q(closed_at=None), name="auth_core_login_browser"),
            models.Index(
                fields=["actor_id"],
                condition=Q(closed_at=None, actor_id__isnull=False),
                name="auth_core_login_actor",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"

    @property
    def person(self) -> AccountLike:
        """The user, for code that only a login with a user reaches. It is then never ``None``."""
        return cast("AccountLike", self.user)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """The evidence so far."""
        return tuple(Evidence.from_json(stored) for stored in self.evidence_stored)

    @property
    def demand(self) -> Demand:
        """The proof that this login requires."""
        return Demand(self.demand_stored)

    def serves(self, caller: Caller) -> bool:
        """Return whether this login is live, and belongs to this caller."""
        return (
            self._is_live()
            and self.purpose in caller.purposes
            and (caller.transport is None or self.transport == caller.transport)
            and self._is_of_browser(caller.browser_secret)
            and self._is_of_parties(caller)
        )

    def _is_of_browser(self, secret: str) -> bool:
        """Check that a cookie login comes from the browser that began it. A stolen token alone is worthless."""
        if self.transport == Transport.TOKEN:
            return True
        return bool(secret and self.browser_digest) and same(self.browser_digest, digest(secret))

    def _is_of_parties(self, caller: Caller) -> bool:
        """Check that a login continues for the application and the actor that it began for.

        A step-up belongs to one session, and has the application and the actor of that session.
        """
        if self.purpose == Purpose.STEP_UP:
            return self.session_id == caller.session_id
        return (self.application_id, self.actor_id) == (caller.application_id, caller.actor_id)

    def _is_live(self) -> bool:
        return self.closed_at is None and self.expires_at > timezone.now() and self.attempts_left > 0

    def check_answerable(self) -> None:
        """Check, inside a transaction, that this login still accepts an answer. Lock it until the commit.

        Call this after the question's message has been written, so that a rollback undoes it.
        Another request may have used the last attempt or closed the login in the meantime.

        Raises:
            LoginExpired: no attempt is left, or the login is closed or expired.
        """
        if self._answerable_row().select_for_update().values_list("pk").first() is None:
            raise LoginExpired

    def meets_demand(self) -> bool:
        """Return whether the evidence meets the demand."""
        return self.demand.is_met_by(self.evidence)

    def spend_attempt(self) -> None:
        """Use up one attempt before the answer is checked.

        Parallel answers cannot exceed the limit, because each takes one attempt in the
        database before anything is compared.

        Raises:
            LoginExpired: no attempt is left, or the login is closed or expired.
        """
        if not self._answerable_row().update(attempts_left=F("attempts_left") - 1):
            raise LoginExpired
        self.refresh_from_db(fields=["attempts_left", "evidence_stored"])

    def return_attempt(self) -> None:
        """Return an attempt whose answer was not compared."""
        self._live_row().update(attempts_left=F("attempts_left") + 1)
        self.attempts_left += 1

    def add_evidence(self, evidence: Evidence) -> None:
        """Store what an answer proved.

        Two parallel answers may overwrite each other's evidence. The lost evidence must be
        proved again, so nothing is gained.

        Raises:
            LoginExpired: the login is closed or expired.
        """
        stored = [*self.evidence_stored, evidence.to_json()]
        if not self._live_row().update(evidence_stored=stored):
            raise LoginExpired
        self.evidence_stored = stored

    def remember_choice(self, choice: str) -> None:
        """Store the factor that the person chose.

        Raises:
            LoginExpired: no attempt is left, or the login is closed or expired.
        """
        if not self._answerable_row().update(choice=choice):
            raise LoginExpired
        self.choice = choice

    def keep(self) -> None:
        """Save the row if it is new. The login can be answered from then on."""
        if self._state.adding:
            self.save(force_insert=True)

    def close(self, *, at: datetime | None = None) -> None:
        """End this login, once.

        Raises:
            LoginExpired: another answer closed it first.
        """
        moment = at or timezone.now()
        if self._state.adding:
            # A row that was never saved cannot have been answered by another request.
            self.closed_at = moment
        elif not spend(self._live_row(), closed_at=moment):
            raise LoginExpired

    @contextmanager
    def closing(self, *, savepoint: bool = True) -> Iterator[None]:
        """End this login together with the work of the block. If the block fails, the login stays open.

        Args:
            savepoint: Whether the block may write something before it fails. Only used for a login without a row. The
                closing of a row is always undone.

        Raises:
            LoginExpired: as in `close`. The block is not run.
        """
        is_new = self._state.adding
        try:
            with transaction.atomic() if savepoint or not is_new else nullcontext():
                self.close()
                yield
        except BaseException:
            if is_new:
                self.closed_at = None
            raise

    def _live_row(self) -> "models.QuerySet[PendingLogin]":
        """Return this row if the login is neither closed nor expired. Every change uses this condition."""
        return PendingLogin.objects.filter(pk=self.pk, closed_at=None, expires_at__gt=timezone.now())

    def _answerable_row(self) -> "models.QuerySet[PendingLogin]":
        """Return this row if the login still accepts an answer.

        The current attempt is used up before its answer is checked, so the result of this
        answer only requires `_live_row`.
        """
        return self._live_row().filter(attempts_left__gt=0)


def delete_expired() -> int:
    """Delete logins that expired a day ago. The expiry itself is checked when a login is read."""
    return delete_in_batches(PendingLogin.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)))
