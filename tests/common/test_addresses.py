"""Which addresses we may contact for somebody else: spelled plainly, and public."""

import pytest

from common.addresses import AddressForbidden, check_public, destination_of


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("https://hooks.example.org", "hooks.example.org", 443),
        ("https://hooks.example.org/a/b?c=%2e", "hooks.example.org", 443),
        ("https://HOOKS.example.org:443/", "hooks.example.org", 443),
        ("https://hooks.example.org:1024/", "hooks.example.org", 1024),
        ("https://hooks.example.org:65535/", "hooks.example.org", 65_535),
        ("https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example", 443),
        ("https://a.xn--p1ai/", "a.xn--p1ai", 443),
        ("https://1.2.3.4.example/", "1.2.3.4.example", 443),
    ],
)
def test_a_full_name_is_taken_with_a_port_of_programs(url, host, port):
    found = destination_of(url)

    assert (found.host, found.port, found.is_secure) == (host, port, True)


NUMBERS = [
    "127.0.0.1", "93.184.216.34", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1",
    "1.2.3.0x4", "[::1]", "[::ffff:127.0.0.1]", "[2606:2800:220:1::1]", "[fe80::1%25eth0]",
    "[v1.x]",
]  # fmt: skip
ODD = [
    "", " ", "hooks.example.org", "//hooks.example.org", "http://hooks.example.org",
    "ftp://hooks.example.org", "file:///etc/passwd", "gopher://hooks.example.org", "https:///x",
    "https://hooks.example.org.", "https://hooks.example.org./", "https://hooks", "https://.",
    "https://127.0.0.1%2e", "https://hooks%2eexample.org", "https://hooks.example.org%00.b",
    "https://user@hooks.example.org", "https://user:word@hooks.example.org",
    "https://hooks.example.org@127.0.0.1/", "https://hooks.example.org#@x", "https://[::1",
    "https://hooks.example.org/#", "https://hooks.example.org\\@127.0.0.1/",
    "https://hooks.example.org/\r\nX: y", "https://hooks.example.org/ x", "https://h\tooks.example",
    "https://münchen.example", "https://hooks。example", "https://\uff11\uff12\uff17.0.0.1", "https://ⓔxample.org",
    "https://-hooks.example", "https://hooks-.example", "https://hooks..example",
    f"https://{'a' * 64}.example", f"https://{'a.' * 127}example", "https://under_score.example",
    "https://localhost", "https://a.localhost", "https://metadata.google.internal/",
    "https://printer.local", "https://router.home.arpa", "https://nas.lan", "https://a.onion",
    "https://hooks.example.org:0", "https://hooks.example.org:22", "https://hooks.example.org:80",
    "https://hooks.example.org:1023", "https://hooks.example.org:65536",
    "https://hooks.example.org:x", f"https://hooks.example.org/{'a' * 500}",
]  # fmt: skip


@pytest.mark.parametrize("url", [*ODD, *(f"https://{number}/" for number in NUMBERS)])
def test_every_other_spelling_is_refused_in_words(url):
    with pytest.raises(AddressForbidden, match=r"\w+ .+\.$"):
        destination_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/x", "http://localhost/", "https://localhost:8443/", "http://[::1]/",
        "http://10.0.0.1:80", "http://hooks.internal/",
    ],
)  # fmt: skip
def test_where_it_is_allowed_this_machine_can_be_named(url):
    assert destination_of(url, allow_private=True).port in (80, 8000, 8443)
    with pytest.raises(AddressForbidden):
        destination_of(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:22/", "http://a:b@localhost/", "http://x/"])
def test_and_the_other_rules_hold_there_too(url):
    with pytest.raises(AddressForbidden):
        destination_of(url, allow_private=True)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "172.15.255.255", "172.32.0.0", "100.63.255.255",
                "100.128.0.0", "2606:2800:220:1::1", "2a00::1"],
)  # fmt: skip
def test_public_addresses_are_contacted(address):
    check_public(address)


NEAR = [
    "127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "::1", "fc00::1", "fd00:ec2::254",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "100.64.0.1", "100.100.100.200", "169.254.169.254", "192.88.99.1", "168.63.129.16",
    "224.0.0.1", "239.255.255.255", "::", "fe80::1", "fe80::1%eth0", "ff02::1", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "2001::1", "2002:7f00:1::", "2001:20::1",
]  # fmt: skip
SPECIAL = [
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "240.0.0.1", "255.255.255.255", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "100::1",
    "2001:db8::1", "3fff::1", "fec0::1", "5f00::1",
]  # fmt: skip


@pytest.mark.parametrize("address", [*NEAR, *NEVER, *SPECIAL, "::ffff:93.184.216.34"])
def test_every_other_address_is_refused(address):
    with pytest.raises(AddressForbidden, match="is not a public address"):
        check_public(address)


def test_where_it_is_allowed_private_networks_are_contacted_and_metadata_is_not():
    for address in NEAR:
        check_public(address, allow_private=True)
    for address in NEVER:
        with pytest.raises(AddressForbidden):
            check_public(address, allow_private=True)
