"""How a person who is signed in connects and disconnects an account at a provider."""

from uuid import UUID

from django.db import transaction

from auth_core.assurance.evidence import SessionFacts, check_context, fresh_evidence
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated
from auth_core.federation.conf import federation
from auth_core.federation.connections.rows import add_connection, disconnect
from auth_core.federation.models import Connection
from auth_core.federation.providers.base import Provider
from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.people.lookup import strongest_demand_for
from auth_core.request.client import Client
from auth_core.users import AccountLike, UserLike


def check_recent_proof(*, user: UserLike, session: SessionFacts | None) -> None:
    """Require a recent proof, as strong as *user* can give: a connection is a key to the account (ASVS 7.5.1).

    Raises:
        NotAuthenticated: there is no session.
        InsufficientUserAuthentication: the proof is too weak or too old, or the context has changed since.
    """
    if session is None:
        raise NotAuthenticated
    check_context(session)
    demand = strongest_demand_for(user)
    if not demand.is_met_by(fresh_evidence(session, federation.PROOF_MAX_AGE)):
        raise InsufficientUserAuthentication(required_assurance=demand.wire_name, max_age=federation.PROOF_MAX_AGE)


def connect(
    *, user: AccountLike, session: SessionFacts, provider: Provider, identity: ProviderIdentity, client: Client
) -> Connection:
    """Connect an account at a provider to *user*, who began it in *session*.

    Raises:
        ConnectionTaken: it is connected to another account.
        InsufficientUserAuthentication: see `check_recent_proof`.
    """
    check_recent_proof(user=user, session=session)
    with transaction.atomic(durable=True):
        return add_connection(user=user, provider=provider, identity=identity, client=client)


def disconnect_own(*, user: AccountLike, session: SessionFacts | None, connection_id: UUID, client: Client) -> bool:
    """Remove a connection for its owner. Return whether there was one.

    Raises:
        LastWayIn: they could not sign in any more.
        NotAuthenticated, InsufficientUserAuthentication: see `check_recent_proof`.
    """
    check_recent_proof(user=user, session=session)
    return disconnect(user=user, connection_id=connection_id, client=client)
