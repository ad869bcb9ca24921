"""One service for the clients in a browser, and three nodes of another one for what processes know of each other."""

import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from attacks.stage import mail_folder
from auth_core.testing.readme import blocks
from auth_core.testing.redis import OwnRedis
from live.chromium import Open, Watch, Window
from live.mailbox import Mailbox
from live.service import Service
from oauth_clients.callback import ON_DEVICE, SCHEME, Applications, Callback
from oauth_clients.callers import Application, Nodes, make
from oauth_clients.sites import AGENTS

SETTINGS = {"DJANGO_SETTINGS_MODULE": "oauth_clients.site_settings", "OAUTH_DEVICE_GRANT": "true"}


@pytest.fixture(scope="package")
def service(tmp_path_factory: Any) -> Iterator[Service]:
    """The service with two processes."""
    folder = tmp_path_factory.mktemp("service")
    # As the guide starts it, with the certificate of this machine.
    *pairs, _program, _chore = shlex.split(blocks(AGENTS, "sh serve")[0])
    agents = {**dict(pair.split("=") for pair in pairs), "OUTBOUND_CA_FILE": str(folder / "certificate.pem")}
    with OwnRedis() as redis, Service(folder, redis.url, {**SETTINGS, **agents}) as running:
        yield running


@pytest.fixture
def here(windows: Open) -> Window:
    """A browser."""
    return windows()


@pytest.fixture(scope="package")
def site_of_all(service: Service) -> Iterator[Callback]:
    """The site of an application, which is another site than that of the service."""
    with Callback((service.certificate, service.folder / "key.pem")) as running:
        yield running


@pytest.fixture(scope="package")
def made(service: Service, site_of_all: Callback) -> tuple[list[str], list[Application]]:
    """People whom no test has taken, and the applications of the site in the order of `Applications`."""
    addresses = {"redirect_uris": [site_of_all.uri], "post_logout_redirect_uris": [site_of_all.home]}
    kinds = [{**addresses, "is_first_party": True}, addresses, {"redirect_uris": [ON_DEVICE]}]
    return make(service, people=60, applications=kinds)


@pytest.fixture
def email(made: tuple[list[str], list[Application]]) -> str:
    """The address of a person who is in no other test."""
    return made[0].pop()


@pytest.fixture
def applications(made: tuple[list[str], list[Application]]) -> Applications:
    """The applications of the site."""
    return Applications(*made[1])


@pytest.fixture
def site(site_of_all: Callback, watch: Watch) -> Callback:
    """The site, which no one has visited yet."""
    site_of_all.arrived.clear()
    site_of_all.onward = site_of_all.body = ""
    watch.clients += [site_of_all.home, SCHEME]
    return site_of_all


@pytest.fixture(scope="package")
def nodes(tmp_path_factory: Any) -> Iterator[Nodes]:
    """Three processes of one service, each at an address of its own."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("first", "early", "late")}
    mails = mail_folder(folders["first"])
    own = {**SETTINGS, "WEB_WORKERS": "1", "EMAIL_FILE_PATH": str(mails)}
    with OwnRedis() as redis, Service(folders["first"], redis.url, own) as first:
        shared = {**own, "PUBLIC_URL": first.url}
        early = Service(folders["early"], redis.url, {**shared, "EARLY_ANSWERS": "true"}, beside=first)
        late = Service(folders["late"], redis.url, {**shared, "EARLY_ANSWERS": "false"}, beside=first)
        with early, late:
            yield Nodes(first=first, early=early, late=late, mails=Mailbox(mails))
