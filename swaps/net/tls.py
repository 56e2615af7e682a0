"""The TLS context for requests to other servers."""

import ssl

import certifi
from urllib3.util import create_urllib3_context


def tls_context() -> ssl.SSLContext:
    """Return a context that trusts the system's certificate authorities and certifi's."""
    context = create_urllib3_context()
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    return context
