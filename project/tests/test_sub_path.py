"""The service below a path of a host, behind a proxy that removes the path and one that passes it on."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests

from auth_core.testing.factories import PASSWORD
from auth_core.testing.redis import OwnRedis
from live.proxy import Proxy
from live.service import Service, free_port

pytestmark = [pytest.mark.live, pytest.mark.postgresql]

PREFIX = "/sso"
ADMINISTRATOR = "root@example.org"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: Any, django_db_setup: None) -> Iterator[tuple[Proxy, Service, str]]:
    """A proxy, the service behind it, and the public URL without a slash at the end."""
    port = free_port()
    url = f"https://localhost:{port}{PREFIX}"
    environment = {"PUBLIC_URL": f"{url}/", "TRUSTED_PROXIES": "127.0.0.1/32", "WEB_WORKERS": "1"}
    with (
        OwnRedis() as cache,
        Service(tmp_path_factory.mktemp("service"), cache.url, environment) as service,
        Proxy(service, port=port, prefix=PREFIX) as proxy,
    ):
        link = service.manage("bootstrap_link", "--quiet").strip()
        assert link.startswith(f"{url}/setup/")
        with service.session() as caller:
            page = caller.get(link, timeout=60)
            posted = post_form(caller, page, email=ADMINISTRATOR, password=PASSWORD)
            assert posted.status_code == 200, posted.text
        yield proxy, service, url


@pytest.fixture(params=[True, False], ids=["removes the path", "passes the path on"])
def site(proxy: tuple[Proxy, Service, str], request: Any) -> Iterator[tuple[requests.Session, str]]:
    """A browser, and the public URL."""
    proxy[0].strips = request.param
    with proxy[1].session() as caller:
        yield caller, proxy[2]


def post_form(caller: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Fill in the form of *page*, and send it as a browser does."""
    token = between(page.text, 'name="csrfmiddlewaretoken" value="', '"')
    action = between(page.text, "<form", ">")
    target = urljoin(page.url, between(action, 'action="', '"')) if 'action="' in action else page.url
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    headers = {"Referer": page.url, "Origin": origin}
    return caller.post(target, data={"csrfmiddlewaretoken": token, **fields}, headers=headers, timeout=60)


def between(text: str, before: str, after: str) -> str:
    return text.partition(before)[2].partition(after)[0]


def test_a_person_signs_in_and_stays_below_the_path(site: tuple[requests.Session, str]) -> None:
    caller, url = site

    login = caller.get(f"{url}/account/", timeout=60)
    assert login.url == f"{url}/login/?next={PREFIX}/account/"
    answered = post_form(caller, login, identifier=ADMINISTRATOR, password=PASSWORD)

    assert answered.status_code == 200
    assert all(step.headers.get("Location", f"{PREFIX}/").startswith(f"{PREFIX}/") for step in answered.history)
    assert answered.url.startswith(f"{url}/login/")  # an administrator adds a second factor first
    for cookie in caller.cookies:
        assert (cookie.name[:7], cookie.path, cookie.secure) == ("__Host-", "/", True)
    assert {"__Host-csrf", "__Host-login"} <= {cookie.name for cookie in caller.cookies}


def test_pages_load_their_static_files_and_links(site: tuple[requests.Session, str]) -> None:
    caller, url = site
    page = caller.get(f"{url}/login/", timeout=60)

    addresses = [part.partition('"')[0] for mark in ('href="', 'src="') for part in page.text.split(mark)[1:]]
    paths = [address for address in addresses if address.startswith("/")]

    assert paths
    assert all(path.startswith(f"{PREFIX}/") for path in paths)
    assert any(path.startswith(f"{PREFIX}/static/") for path in paths)
    assert {caller.get(urljoin(page.url, path), timeout=60).status_code for path in paths} == {200}


def test_the_interface_is_below_the_path(site: tuple[requests.Session, str]) -> None:
    caller, url = site

    schema = caller.get(f"{url}/api/schema/", headers={"Accept": "application/json"}, timeout=60).json()
    began = caller.post(
        f"{url}/api/v1/login/",
        json={"identifier": ADMINISTRATOR, "password": PASSWORD, "transport": "token"},
        timeout=60,
    )
    unknown = caller.get(f"{url}/api/v1/nowhere/", timeout=60)

    assert schema["servers"] == [{"url": url}]
    assert began.status_code == 202
    assert unknown.headers["Content-Type"] == "application/problem+json"
    endpoints = caller.get(f"{url}/.well-known/passkey-endpoints", timeout=60).json()
    assert endpoints["manage"] == f"{url}/account/second-factors/"


def test_other_pages_and_redirects_stay_below_the_path(site: tuple[requests.Session, str]) -> None:
    caller, url = site

    assert caller.get(f"{url}/health/", timeout=60).json() == {"status": "ok"}
    assert caller.get(f"{url}/admin/", timeout=60).url.startswith(f"{url}/login/?next={PREFIX}/admin/")
    without_slash = caller.get(f"{url}/login", timeout=60)
    assert (without_slash.url, without_slash.status_code) == (f"{url}/login/", 200)
    lost = caller.get(f"{url}/nowhere/", headers={"Accept": "text/html"}, timeout=60)
    assert (lost.status_code, f'href="{PREFIX}/account/"' in lost.text) == (404, True)


def test_a_form_of_another_site_is_refused(site: tuple[requests.Session, str]) -> None:
    caller, url = site
    page = caller.get(f"{url}/login/", timeout=60)
    token = between(page.text, 'name="csrfmiddlewaretoken" value="', '"')

    refused = caller.post(
        f"{url}/login/", data={"csrfmiddlewaretoken": token}, headers={"Origin": "https://evil.example"}, timeout=60
    )

    assert refused.status_code == 403


def test_the_client_is_the_one_that_the_proxy_names_with_a_port(
    site: tuple[requests.Session, str], proxy: tuple[Proxy, Service, str]
) -> None:
    caller, url = site
    caller.get(f"{url}/login/", timeout=60)

    assert '"ip":"203.0.113.9"' in proxy[1].log.replace(" ", "")
