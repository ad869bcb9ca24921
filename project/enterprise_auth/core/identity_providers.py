"""The identity providers that the environment names, as ``AUTH_FEDERATION["PROVIDERS"]``."""

from typing import Any

from enterprise_auth.env import PROVIDERS, Environment


def identity_providers(env: Environment) -> dict[str, dict[str, Any]]:
    """Return the providers with a client id, each under the name of its kind, in the order of the environment's list.

    Several of one kind, and what else a provider can do, are for the settings.
    """
    providers: dict[str, dict[str, Any]] = {}
    for order, (kind, options) in enumerate(PROVIDERS.items()):
        values = {name: _value(env, kind, name) for name in options}
        if values["client_id"]:
            stated = {name: value for name, value in values.items() if value}
            providers[kind] = {"kind": kind, "order": order, **stated}
        elif any(values.values()):
            env.wrong(f"OAUTH_{kind.upper()}_CLIENT_ID", "is missing")
    return providers


def _value(env: Environment, kind: str, name: str) -> Any:
    variable = f"OAUTH_{kind.upper()}_{name.upper()}"
    return [domain.lower() for domain in env.many(variable)] if name == "trusted_domains" else env.text(variable)
