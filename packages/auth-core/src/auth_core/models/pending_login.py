"""A login that is on its way."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import Evidence
from auth_core.assurance.levels import Assessment, Demand
from auth_core.conf import core
from auth_core.contracts import Purpose, Transport
from auth_core.crypto.secrets import digest, new_secret, same, spend
from auth_core.errors import LoginExpired
from auth_core.ids import uuid7

#: Rows that one statement deletes.
_BATCH = 1000

TOKEN_PREFIX = "elt"  # noqa: S105 - tells scanners of leaked secrets whose token this is


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who goes on with a login, as far as their request tells.

    Args:
        purposes: What the address they call is for.
        transport: The only transport it serves; ``None``: the login's own.
        browser_secret: What their ``login`` cookie holds.
        session_id: Public id of the session they come with; a step-up needs its own.
    """

    purposes: frozenset[Purpose]
    transport: Transport | None = None
    browser_secret: str = field(default="", repr=False)
    session_id: UUID | None = None


class PendingLoginManager(models.Manager["PendingLogin"]):
    """One verb per use; nothing else makes or finds a pending login."""

    def open(self, **known: Any) -> "PendingLogin":
        """Begin a login, and keep it; see `begin`."""
        login = self.begin(**known)
        login.keep()
        return login

    def begin(
        self,
        *,
        user: Any,
        backend: str,
        purpose: Purpose,
        transport: Transport,
        evidence: Sequence[Evidence] = (),
        assessment: Assessment | None = None,
        browser_secret: str = "",
        application_id: UUID | None = None,
        session_id: UUID | None = None,
        provider: str = "",
        continue_to: str = "",
    ) -> "PendingLogin":
        """Begin a login; `token` and nothing else of it is for the caller.

        Nobody else sees it before it is kept: one that is granted at once is written once, as over.

        Args:
            user: Who it is, or ``None``: nobody we know, and every answer will fail.
            backend: Dotted path of the authentication backend that named *user*.
            browser_secret: What the ``login`` cookie of this browser holds; empty with a token.
            session_id: The session that a step-up raises.
            provider: The provider that a link adds.
        """
        assessment = assessment or Assessment()
        login = self.model(
            user=user,
            backend=backend,
            purpose=purpose.value,
            transport=transport.value,
            evidence_stored=[piece.to_json() for piece in evidence],
            score=assessment.score,
            reasons=[reason.to_json() for reason in assessment.reasons],
            demand_stored=assessment.demand.value,
            browser_digest=digest(browser_secret) if browser_secret else "",
            application_id=application_id,
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
        """Return the live login that *token* names, if it is this caller's.

        Raises:
            LoginExpired: unknown, closed, expired, without attempts, or begun by another browser,
                for another purpose or with another transport. They all look the same.
        """
        login = self.select_related("user", "user__auth_identity").filter(token_digest=digest(token)).first()
        if login is None or not login.serves(caller):
            raise LoginExpired
        login.token = token
        return login

    def of_browser(self, caller: "Caller") -> "PendingLogin":
        """Return the newest live login that this caller's browser began.

        Pages keep no token: the browser's secret, which `serves` checks as well, finds it.

        Raises:
            LoginExpired: there is none.
        """
        secret = caller.browser_secret
        waiting = self.select_related("user", "user__auth_identity").filter(
            browser_digest=digest(secret), closed_at=None, purpose__in=[purpose.value for purpose in caller.purposes]
        )
        login = waiting.order_by("-pk").first() if secret else None
        if login is None or not login.serves(caller):
            raise LoginExpired
        return login

    def end_of_browser(self, secret: str) -> int:
        """End the logins that a browser began and has not finished, and return how many.

        Args:
            secret: What its ``login`` cookie holds; empty: it has begun none.
        """
        if not secret:
            return 0
        now = timezone.now()
        return self.filter(browser_digest=digest(secret), closed_at=None, expires_at__gt=now).update(closed_at=now)

    def end_all_of(self, user: Any, *, proved_with: str = "") -> int:
        """End the logins of *user* that are on their way, and return how many: what they proved is nobody's any more.

        Args:
            proved_with: Only those that have proved this credential (`Evidence.credential`); empty: all.
        """
        waiting = self.filter(user=user, closed_at=None, expires_at__gt=timezone.now())
        if proved_with:
            keys = [login.pk for login in waiting if proved_with in {piece.credential for piece in login.evidence}]
            waiting = waiting.filter(pk__in=keys)
        return waiting.update(closed_at=timezone.now())


class PendingLogin(models.Model):
    """A login that has begun and is not yet granted.

    The row is the only record of progress: what has been proved, and what is asked.
    Steps read it; nothing remembers which steps ran.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    token_digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256 of the token, in hex."))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE)
    backend = models.CharField(max_length=255, help_text=_("Dotted path of the authentication backend."))
    purpose = models.CharField(max_length=16, choices=[(purpose.value, purpose.value) for purpose in Purpose])
    transport = models.CharField(max_length=8, choices=[(transport.value, transport.value) for transport in Transport])
    application_id = models.UUIDField(null=True, blank=True, help_text=_("Public id of the application it is for."))
    session_id = models.UUIDField(null=True, blank=True, help_text=_("The session that a step-up raises."))
    provider = models.CharField(max_length=64, blank=True, help_text=_("The provider that a link adds."))
    continue_to = models.CharField(max_length=2000, blank=True, help_text=_("Where the browser goes afterwards."))
    browser_digest = models.CharField(
        max_length=64, blank=True, help_text=_("SHA-256 of the browser's secret; empty with a token.")
    )
    evidence_stored = models.JSONField(
        db_column="evidence", default=list, help_text=_("What was proved so far, when, and how.")
    )
    score = models.PositiveSmallIntegerField(null=True, blank=True, help_text=_("Risk, 0 to 100; empty: not assessed."))
    reasons = models.JSONField(default=list, help_text=_("What weighed in the score, and how much."))
    demand_stored = models.CharField(
        db_column="demand", max_length=16, choices=[(demand.value, demand.value) for demand in Demand]
    )
    choice = models.CharField(max_length=64, blank=True, help_text=_("Id of the factor the person chose last."))
    attempts_left = models.PositiveSmallIntegerField(help_text=_("How many answers it still takes."))
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    #: The caller's secret; known only to the request that opened the login or sent it.
    token: str = ""

    objects = PendingLoginManager()

    class Meta:
        verbose_name = _("pending login")
        verbose_name_plural = _("pending logins")
        indexes = [
            models.Index(
                fields=["browser_digest", "-id"], condition=models.Q(closed_at=None), name="auth_core_login_browser"
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What was proved so far."""
        return tuple(Evidence.from_json(stored) for stored in self.evidence_stored)

    @property
    def demand(self) -> Demand:
        """What this login must prove."""
        return Demand(self.demand_stored)

    def serves(self, caller: Caller) -> bool:
        """Say whether this login is live, and was begun for this caller."""
        return (
            self._is_live()
            and self.purpose in caller.purposes
            and (caller.transport is None or self.transport == caller.transport)
            and self._is_of_browser(caller.browser_secret)
            and (self.purpose != Purpose.STEP_UP or self.session_id == caller.session_id)
        )

    def _is_of_browser(self, secret: str) -> bool:
        """A login by cookie belongs to the browser that began it: a stolen token alone is worth nothing."""
        if self.transport == Transport.TOKEN:
            return True
        return bool(secret and self.browser_digest) and same(self.browser_digest, digest(secret))

    def _is_live(self) -> bool:
        return self.closed_at is None and self.expires_at > timezone.now() and self.attempts_left > 0

    def check_answerable(self) -> None:
        """Check, inside a transaction, that this login still takes an answer, and keep it so until the commit.

        Called after what a question sends was written, so that the rollback takes it back. Another
        request may have spent the last attempt, or closed the login, since this one found it.

        Raises:
            LoginExpired: no attempt is left, or the login is over.
        """
        if self._answerable_row().select_for_update().values_list("pk").first() is None:
            raise LoginExpired

    def meets_demand(self) -> bool:
        """Say whether what was proved is what this login must prove."""
        return self.demand.is_met_by(self.evidence)

    def spend_attempt(self) -> None:
        """Pay for one answer before it is looked at.

        Parallel answers cannot exceed the budget, because each of them takes one away
        in the database before anything is compared.

        Raises:
            LoginExpired: no attempt is left, or the login is over.
        """
        if not self._answerable_row().update(attempts_left=F("attempts_left") - 1):
            raise LoginExpired
        self.refresh_from_db(fields=["attempts_left", "evidence_stored"])

    def return_attempt(self) -> None:
        """Take an attempt back that was paid for an answer which nobody compared."""
        self._live_row().update(attempts_left=F("attempts_left") + 1)
        self.attempts_left += 1

    def add_evidence(self, piece: Evidence) -> None:
        """Keep what an answer proved.

        Two answers at once may each write a list without the other's piece; the one
        that is lost has to be proved again, nothing is gained.

        Raises:
            LoginExpired: the login is over.
        """
        stored = [*self.evidence_stored, piece.to_json()]
        if not self._live_row().update(evidence_stored=stored):
            raise LoginExpired
        self.evidence_stored = stored

    def remember_choice(self, choice: str) -> None:
        """Keep which factor the person chose.

        Raises:
            LoginExpired: no attempt is left, or the login is over.
        """
        if not self._answerable_row().update(choice=choice):
            raise LoginExpired
        self.choice = choice

    def keep(self) -> None:
        """Write the row, if there is none yet; what is asked can be answered from then on."""
        if self._state.adding:
            self.save(force_insert=True)

    def close(self, *, at: datetime | None = None) -> None:
        """End this login, once.

        Raises:
            LoginExpired: another answer closed it first.
        """
        moment = at or timezone.now()
        if self._state.adding:
            # Nobody else can have answered what nobody else can see.
            self.closed_at = moment
            self.keep()
        elif not spend(self._live_row(), closed_at=moment):
            raise LoginExpired

    @contextmanager
    def closing(self) -> Iterator[None]:
        """End this login together with what the block does; undone with it, the login goes on as it was.

        Raises:
            LoginExpired: as in `close`; the block is not run.
        """
        is_new = self._state.adding
        try:
            with transaction.atomic():
                self.close()
                yield
        except BaseException:
            if is_new:
                self._state.adding, self.closed_at = True, None
            raise

    def _live_row(self) -> "models.QuerySet[PendingLogin]":
        """Return this row on the condition that the login is not over: whatever changes it asks so."""
        return PendingLogin.objects.filter(pk=self.pk, closed_at=None, expires_at__gt=timezone.now())

    def _answerable_row(self) -> "models.QuerySet[PendingLogin]":
        """Return this row on the condition that the login still takes an answer.

        The attempt in hand is spent before its answer is looked at, so that what this answer
        proves and grants asks for `_live_row` alone.
        """
        return self._live_row().filter(attempts_left__gt=0)


def delete_expired() -> int:
    """Delete logins that expired a day ago, in batches; expiry itself is judged when one is read."""
    long_ago = timezone.now() - timedelta(days=1)
    deleted = 0
    while keys := list(PendingLogin.objects.filter(expires_at__lt=long_ago).values_list("pk", flat=True)[:_BATCH]):
        deleted += PendingLogin.objects.filter(pk__in=keys).delete()[0]
    return deleted
