"""What a log and its witnesses sign, written here independently of the product."""

import base64
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.ledger.test_merkle import defined, path_defined
from tests.verifier.books import ORGANISATION

ORIGIN = f"ledger.example/log/{ORGANISATION}"
LOG = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
OTHER = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
WITNESSES = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (2, 3, 4)]
TIME = 1_790_000_000


def base64_of(value):
    return base64.b64encode(value).decode()


def public_of(private):
    return private.public_key().public_bytes_raw()


def key_id_of(name, kind, private):
    return sha256(name.encode() + b"\n" + bytes([kind]) + public_of(private)).digest()[:4]


def vkey_of(name, kind, private):
    material = base64_of(bytes([kind]) + public_of(private))
    return f"{name}+{key_id_of(name, kind, private).hex()}+{material}"


VKEY = vkey_of(ORIGIN, 1, LOG)
WITNESS_VKEYS = [vkey_of(f"witness.example/{place}", 4, key) for place, key in enumerate(WITNESSES)]


def body_of(lines, *, origin=ORIGIN, size=None):
    """Return the text of a checkpoint of the first lines."""
    size = len(lines) if size is None else size
    return f"{origin}\n{size}\n{base64_of(defined(lines[:size]))}\n"


def line_of(name, key_id, signature):
    return f"— {name} {base64_of(key_id + signature)}\n"


def signed(body, private=LOG, name=ORIGIN):
    """Return a log's signature line."""
    return line_of(name, key_id_of(name, 1, private), private.sign(body.encode()))


def cosigned(body, place, *, time=TIME, said=None):
    """Return the signature line of a witness, which may say another time than it signed."""
    name, private = f"witness.example/{place}", WITNESSES[place]
    signature = private.sign(f"cosignature/v1\ntime {time}\n{body}".encode())
    stamp = (time if said is None else said).to_bytes(8, "big")
    return line_of(name, key_id_of(name, 4, private), stamp + signature)


def note_of(body, *signatures):
    return f"{body}\n{''.join(signatures or [signed(body)])}"


def receipt_of(lines, place, note=None, *, line=None, index=None, path=None):
    """Return the receipt of a line, or nearly that."""
    hashes = path_defined(place, lines) if path is None else path
    return "\n".join(
        [
            "c2sp.org/tlog-proof@v1",
            f"extra {base64_of(line or lines[place])}",
            f"index {place if index is None else index}",
            *map(base64_of, hashes),
            "",
            note or note_of(body_of(lines)),
        ]
    )


def rotating(retired, key, signer=None, *, name=ORIGIN, said=None):
    """Return what differs in an entry that puts a key in the place of another."""
    old, new = vkey_of(ORIGIN, 1, retired), vkey_of(name, 1, key)
    text = f"almoner-key-rotation/v1\n{old}\n{new}\n" if said is None else said
    signature = {"signature": base64_of(signer.sign(text.encode()))} if signer else {}
    return {
        "operation": "KEY_ROTATION",
        "amount": 0,
        "currency": "XXX",
        "debit": "genesis",
        "credit": "genesis:end",
        "nonce": f"key:{key_id_of(name, 1, key).hex()}",
        "metadata": {"retires": old, "vkey": new} | signature,
    }
