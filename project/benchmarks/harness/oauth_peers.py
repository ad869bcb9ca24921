"""What the clients of other providers send, and the cell of oidc-provider."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness.cells import SIGNED_IN, Cell, Place, run_checked, serving
from harness.installation import node_folder
from harness.oauth import BEARER, CHALLENGE, REFRESH, basic, provider_traffic
from harness.servers import BenchRedis
from harness.traffic import Supply, Traffic


def toolkit_traffic(headers: Mapping[str, str], seeded: Mapping[str, Any]) -> dict[str, Traffic]:
    """Return what clients of django-oauth-toolkit send."""
    return provider_traffic(
        paths={"token": "/o/token/", "introspect": "/o/introspect/", "userinfo": "/o/userinfo/", "bearer": "/me/"},
        headers=headers,
        clients={
            "service": basic(*seeded["service"]), "web": basic(*seeded["web"]), "rotating": basic(*seeded["web"]),
        },
        refresh=seeded["refresh"], codes=seeded["codes"], access=lambda: seeded["access"],
    )  # fmt: skip


def jwt_traffic(headers: Mapping[str, str], seeded: Mapping[str, Any]) -> dict[str, Traffic]:
    """Return what clients of SimpleJWT send: a bearer token, or a refresh token that rotates and is put on the list of used ones."""
    once = Supply(seeded["refresh"])

    def form(token: str) -> Mapping[str, str]:
        return {"refresh": token}

    bearers = [f"Bearer {token}" for token in seeded["access"]]
    return {
        REFRESH: Traffic(path="/token/refresh/", form=form, once=once, headers=headers),
        BEARER: Traffic(path="/me/", credentials=bearers, headers=headers),
    }


@contextmanager
def oidc_provider(place: Place, job: str, headers: Mapping[str, str]) -> Iterator[Cell]:
    """Seed and serve oidc-provider in two Node processes, with the adapter for Redis of its documentation."""
    folder = node_folder("oidc_provider")
    with BenchRedis() as redis:
        cell = Cell("oidc-provider", "peer", job, place.postgresql.create("oidc_provider"), redis)
        secret = secrets.token_hex(24)
        environment = {
            "CLIENT_SECRET": secret, "SECRET_KEY": secrets.token_hex(32), "NODE_ENV": "production",
            "CODE_CHALLENGE": CHALLENGE, "REDIS_PATH": redis.path, "PATH": os.environ["PATH"],
        }  # fmt: skip
        seed = ["node", "server.mjs", "seed", str(place.once), str(min(SIGNED_IN, place.people))]
        seeded: Any = json.loads(run_checked(seed, environment, cwd=folder).splitlines()[-1])
        log = place.folder / "oidc-provider.log"
        health = "/.well-known/openid-configuration"
        with serving(cell, ["node", "server.mjs"], environment, cwd=folder, health=health, log=log):
            web = basic("web", secret)
            cell.traffic = provider_traffic(
                paths={"token": "/token", "introspect": "/token/introspection", "userinfo": "/me"},
                headers=headers, clients={"service": basic("service", secret), "web": web, "rotating": web},
                refresh=seeded["refresh"], codes=seeded["codes"], access=lambda: seeded["access"],
            )  # fmt: skip
            yield cell
