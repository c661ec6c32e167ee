"""A certificate authority of one's own for a network without the Internet, and a certificate from it.

Phones need HTTPS for their position, camera and home screen. They trust the authority once it is installed
on them; its key stays in the data folder and signs nothing but this installation's certificates.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from anshang.foundation.errors import BadInput

AUTHORITY_LASTS, SERVER_LASTS = timedelta(days=3_650), timedelta(days=397)
"""Browsers accept a server's certificate for at most 398 days."""
LEEWAY = timedelta(days=1)
"""Phones whose clock is behind accept it, too."""
AUTHORITY, AUTHORITY_KEY = "authority.pem", "authority.key"
SERVER, SERVER_KEY = "server.pem", "server.key"


def make_certificate(folder: Path, hosts: Sequence[str], now: datetime) -> datetime:
    """Write the server's certificate for these host names and addresses into the folder, made by the
    authority that is there or by a new one; until when it lasts. BadInput for no host, or a bad one.
    """
    names = [_name(host) for host in hosts]
    if not names:
        raise BadInput("cert.no_host", en="Name the server's address.", zh="请写明服务器地址。")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority, authority_key = _authority(folder, now)
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(now + SERVER_LASTS, authority.not_valid_after_utc)
    certificate = (
        _begun(f"Anshang {hosts[0]}"[:64], authority.subject, key, now, until)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    chain = certificate.public_bytes(_PEM) + authority.public_bytes(_PEM)
    _write(folder / SERVER_KEY, _bytes_of(key))
    _write(folder / SERVER, chain)
    return until


_PEM = serialization.Encoding.PEM


def _authority(folder: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if (folder / AUTHORITY).exists() and (folder / AUTHORITY_KEY).exists():
        kept = x509.load_pem_x509_certificate((folder / AUTHORITY).read_bytes())
        key = serialization.load_pem_private_key((folder / AUTHORITY_KEY).read_bytes(), password=None)
        if isinstance(key, ec.EllipticCurvePrivateKey) and kept.not_valid_after_utc > now + LEEWAY:
            return kept, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Anshang closed network")])
    made = (
        _begun("Anshang closed network", name, key, now, now + AUTHORITY_LASTS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / AUTHORITY_KEY, _bytes_of(key))
    _write(folder / AUTHORITY, made.public_bytes(_PEM))
    return made, key


def _begun(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - LEEWAY)
        .not_valid_after(until)
    )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not host.isascii() or not all(part.replace("-", "").isalnum() for part in host.split(".")):
        raise BadInput(
            "cert.bad_host",
            en=f"“{host[:80]}” is neither a host name nor an address.",
            zh=f"“{host[:80]}”不是有效的主机名或地址。",
        )
    return x509.DNSName(host)


def _bytes_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def _write(path: Path, content: bytes) -> None:
    """For nobody else to read where it is a key."""
    mode = 0o600 if path.suffix == ".key" else 0o644
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
