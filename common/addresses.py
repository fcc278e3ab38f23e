"""
Which addresses of the internet we may contact for somebody else: public hosts, and no others.

The special ranges are those of IANA's registries (RFC 6890 and its successors), and two places
where clouds keep what only their own machines may ask.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

URL_LENGTH_MAX = 500
VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+\Z")
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# The last label begins with a letter: numbers in every base are addresses, not names.
NAME = re.compile(rf"(?=.{{1,253}}\Z)({LABEL}\.)+(?=[a-z]){LABEL}\Z")
INNER_NAMES = ("internal", "local", "localhost", "localdomain", "lan", "home.arpa", "onion")
HTTPS_PORT, HTTP_PORT, PORT_FREE_FROM, PORT_MAX = 443, 80, 1024, 65_535

GLOBAL_IPV6 = ip_network("2000::/3")  # all that is given out; NAT64, ULA and mapped IPv4 are not
NOT_PUBLIC = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's own services answer here
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip

NEAR = tuple(
    ip_network(network)
    for network in (
        "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7",
    )
)  # fmt: skip


class AddressForbidden(Exception):
    """An address that we do not contact for somebody else; the text says what to write instead."""


class Destination(NamedTuple):
    """Where a message goes: what an address says once it was checked."""

    parts: SplitResult
    host: str
    port: int

    @property
    def is_secure(self) -> bool:
        """Tell whether it is reached over TLS."""
        return self.parts.scheme == "https"


def destination_of(url: str, *, allow_private: bool = False) -> Destination:
    """
    Return where an address leads, as it is written; what stands there is checked when connecting.

    With `allow_private` it may also be plain http, and a number. Raises `AddressForbidden`.
    """
    if len(url) > URL_LENGTH_MAX or not VISIBLE_ASCII.match(url) or "\\" in url:
        raise AddressForbidden(
            f"Write an address of at most {URL_LENGTH_MAX} visible ASCII characters; "
            "a name in another script in its xn-- form."
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressForbidden("This is not an address that messages can be sent to.") from error
    if parts.scheme != "https" and not (allow_private and parts.scheme == "http"):
        raise AddressForbidden("Write a complete address that begins with https://.")
    if "@" in parts.netloc or "#" in url:
        raise AddressForbidden("Leave out names, passwords and everything from # on.")
    _check_host(host, is_bracketed="[" in parts.netloc, allow_private=allow_private)
    port = _usual_port(parts) if port is None else port
    _check_port(port, allow_private=allow_private)
    return Destination(parts, host, port)


def check_public(address: str, *, allow_private: bool = False) -> None:
    """
    Raise `AddressForbidden` for an IP address that is not of the public internet.

    `allow_private` lets in this machine and private networks, never link-local ones (metadata).
    """
    found = ip_address(address)
    if not (_is_public(found) or (allow_private and _is_in(NEAR, found))):
        raise AddressForbidden(f"The name leads to {address}, which is not a public address.")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    is_given_out = address.version != GLOBAL_IPV6.version or address in GLOBAL_IPV6
    return is_given_out and address.is_global and not _is_in(NOT_PUBLIC, address)


def _is_in(networks: Iterable[Any], address: IPv4Address | IPv6Address) -> bool:
    return any(address in net for net in networks if net.version == address.version)


def _check_host(host: str, *, is_bracketed: bool, allow_private: bool) -> None:
    if allow_private and (host == "localhost" or _is_number(host)):
        return
    if is_bracketed or not NAME.match(host):
        raise AddressForbidden(
            "Write the host as a full name, such as hooks.example.org, without a dot at its end; "
            "numbers are no names."
        )
    if not allow_private and any(f".{host}".endswith(f".{name}") for name in INNER_NAMES):
        raise AddressForbidden("Names of inner networks cannot be reached from here.")


def _is_number(host: str) -> bool:
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


def _usual_port(parts: SplitResult) -> int:
    return HTTPS_PORT if parts.scheme == "https" else HTTP_PORT


def _check_port(port: int, *, allow_private: bool) -> None:
    is_usual = port in (HTTPS_PORT, HTTP_PORT) if allow_private else port == HTTPS_PORT
    if not (is_usual or PORT_FREE_FROM <= port <= PORT_MAX):
        raise AddressForbidden("Use port 443, or one from 1024 on.")
