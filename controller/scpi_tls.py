"""TLS for SCPI over a network: the instrument proves who it is, and its host must too."""

import ssl
from pathlib import Path


class BadCertificates(Exception):
    """What should prove who somebody is does not."""


def server_context(certificate: Path, key: Path, clients: Path) -> ssl.SSLContext:
    """Reads all three files; only hosts with a certificate signed by `clients` are let in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(clients)
    except (OSError, ssl.SSLError) as err:
        where = f"{certificate}, {key}, {clients}"
        raise BadCertificates(f"the certificates of [scpi] tls: {err} ({where})") from err
    return context
