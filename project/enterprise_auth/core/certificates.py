"""A self-signed certificate for the proxy of docker-compose.yml, until the operator brings a real one."""

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Browsers refuse a longer lifetime.
_LIFETIME = timedelta(days=397)

#: A certificate is renewed when it has less than this left.
_RENEWAL = timedelta(days=30)

#: The issuer of certificates that this module may replace.
_ISSUER = "Enterprise Auth, self-signed for evaluation"


def keep_certificate(folder: Path, *, public_url: str) -> str:
    """Write ``fullchain.pem`` and ``privkey.pem`` for the host of *public_url*. Return what was done, as a sentence.

    A certificate of another issuer, or of ours that is still valid for this host, is kept.
    """
    host = urlsplit(public_url).hostname or "localhost"
    path = folder / "fullchain.pem"
    if path.exists() and not _is_to_renew(x509.load_pem_x509_certificate(path.read_bytes()), host):
        return f"The certificate in {folder} is kept."
    key = ec.generate_private_key(ec.SECP256R1())
    key_bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write(folder / "privkey.pem", key_bytes, mode=0o600)
    _write(path, _self_signed(key, host).public_bytes(serialization.Encoding.PEM), mode=0o644)
    return f"Wrote a self-signed certificate for {host} to {folder}. Browsers warn of it and create no passkeys."


def _is_to_renew(certificate: x509.Certificate, host: str) -> bool:
    if certificate.issuer != _name(_ISSUER):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    is_for_host = host in map(str, (*names.get_values_for_type(x509.DNSName), *_addresses(names)))
    return not is_for_host or certificate.not_valid_after_utc < datetime.now(UTC) + _RENEWAL


def _addresses(names: x509.SubjectAlternativeName) -> list[object]:
    return list(names.get_values_for_type(x509.IPAddress))


def _self_signed(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(_ISSUER))
        .issuer_name(_name(_ISSUER))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general_name(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Replace *path* at once, so that no reader sees half of it."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.replace(path)
