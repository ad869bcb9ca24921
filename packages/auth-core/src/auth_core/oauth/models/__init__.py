"""The tables of the provider. Those of django-oauth-toolkit for codes and tokens stay empty."""

from auth_core.oauth.models.application_policy import ApplicationPolicy
from auth_core.oauth.models.authorization import Authorization
from auth_core.oauth.models.authorization_request import AuthorizationRequest
from auth_core.oauth.models.client_document import ClientDocument
from auth_core.oauth.models.consent import Consent
from auth_core.oauth.models.device_request import DeviceRequest
from auth_core.oauth.models.dynamic_registration import DynamicRegistration, InitialAccessToken
from auth_core.oauth.models.resource import Resource
from auth_core.oauth.models.signing_key import SigningKey
from auth_core.oauth.models.spent_proof import SpentProof
from auth_core.oauth.models.subject_key import SubjectKey
from auth_core.oauth.models.tokens import AccessToken, RefreshToken, RevokedToken

__all__ = [
    "AccessToken",
    "ApplicationPolicy",
    "Authorization",
    "AuthorizationRequest",
    "ClientDocument",
    "Consent",
    "DeviceRequest",
    "DynamicRegistration",
    "InitialAccessToken",
    "RefreshToken",
    "Resource",
    "RevokedToken",
    "SigningKey",
    "SpentProof",
    "SubjectKey",
]
