"""Apache with mod_auth_openidc: a site whose page only people with a login see."""

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from oauth_clients.installation import apache_with_openidc
from oauth_clients.processes import HOST, running

_MODULES = (
    "mpm_event", "authn_core", "authz_core", "authz_user", "include", "mime", "dir", "filter", "reqtimeout", "auth_openidc"
)  # fmt: skip

_CONFIGURATION = """
ServerRoot {folder}
ServerName {host}
Listen {host}:{port}
PidFile {folder}/apache.pid
Mutex file:{folder} default
ErrorLog {folder}/error.log
LogLevel warn auth_openidc:debug
User www-data
Group www-data
StartServers 1
DocumentRoot {folder}/pages
TypesConfig /dev/null
AddType text/html .html
AddOutputFilter INCLUDES .html

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {home}/members/callback
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCCABundlePath {folder}/certificate.pem
OIDCPassClaimsAs environment
OIDCCookieSameSite On

<Directory {folder}/pages>
    Options +Includes
    Require all granted
</Directory>
<Location /members>
    AuthType openid-connect
    Require valid-user
</Location>
"""

#: The page of a member. Apache puts in what the client read from the ID token and from userinfo.
_MEMBERS = """<!doctype html><title>Members</title>
<h1>Members</h1>
<p id="email"><!--#echo var="OIDC_CLAIM_email" --></p>
<p id="sub"><!--#echo var="OIDC_CLAIM_sub" --></p>
<p id="iss"><!--#echo var="OIDC_CLAIM_iss" --></p>
<p id="acr"><!--#echo var="OIDC_CLAIM_acr" --></p>
"""


@dataclass(frozen=True)
class Apache:
    """A running Apache.

    Args:
        home: Its address.
        folder: Its configuration, pages and logs.
    """

    home: str
    folder: Path

    @property
    def log(self) -> str:
        """What it logged."""
        return (self.folder / "error.log").read_text()


def addresses(port: int) -> dict[str, str]:
    """Return the addresses that the client registers: its redirect address, and where people are after a logout."""
    home = f"http://{HOST}:{port}"
    return {"redirect_uri": f"{home}/members/callback", "post_logout_redirect_uri": f"{home}/out.html"}


@contextmanager
def apache(*, port: int, issuer: str, client_id: str, client_secret: str, certificate: Path) -> Iterator[Apache]:
    """Run Apache until the end of the block.

    Args:
        certificate: What the provider's certificate is verified with.

    Raises:
        NotInstalled: a package of Debian is missing.
    """
    program, modules = apache_with_openidc()
    # Apache drops its rights, and reads the certificate with those that are left.
    folder = Path(tempfile.mkdtemp(prefix="apache-", dir="/tmp"))
    folder.chmod(0o777)
    home = f"http://{HOST}:{port}"
    try:
        shutil.copy(certificate, folder / "certificate.pem")
        (folder / "pages/members").mkdir(parents=True)
        (folder / "pages/members/index.html").write_text(_MEMBERS)
        (folder / "pages/out.html").write_text("<!doctype html><title>Out</title><h1>Out</h1>")
        loaded = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in _MODULES)
        configuration = folder / "apache.conf"
        configuration.write_text(
            loaded
            + _CONFIGURATION.format(
                folder=folder, host=HOST, port=port, home=home, issuer=issuer, client_id=client_id,
                client_secret=client_secret, passphrase=secrets.token_hex(16),
            )
        )  # fmt: skip
        with running([program, "-DFOREGROUND", "-f", str(configuration)], port=port, folder=folder):
            yield Apache(home, folder)
    finally:
        shutil.rmtree(folder)
