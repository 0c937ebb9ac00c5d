"""Signs bytes, and tells whose they are: Ed25519, so that whoever reads a file cannot write one.

What belongs here: keys and signatures. What does not: what is signed (`allocation_file.py`).
"""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from include.errors import BadSettings

SHORTEST_SECRET = 32  # characters


def make_signer(secret: str) -> Ed25519PrivateKey:
    """Make the key that signs from the secret of the settings, the same one every time.

    Args:
        secret: text that a generator of secrets made.

    Raises:
        BadSettings: it is shorter than 32 characters; the message shows nothing of it.
    """
    if len(secret) < SHORTEST_SECRET:
        raise BadSettings(
            f"MULGIL_SIGNING_KEY has {len(secret)} characters; at least {SHORTEST_SECRET} random ones are needed: "
            'python3 -c "import secrets; print(secrets.token_hex(32))" makes them.'
        )
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"mulgil allocation:{secret}".encode()).digest())


def write_public_key(key: Ed25519PublicKey) -> str:
    """Write the half of a key that everybody may know: 64 hexadecimal digits."""
    return key.public_bytes_raw().hex()


def read_public_key(text: str) -> Ed25519PublicKey:
    """Read the half of a key that everybody may know.

    Raises:
        BadSettings: it is not 64 hexadecimal digits.
    """
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
    except ValueError as error:
        raise BadSettings(
            f"MULGIL_VERIFY_KEY is {text!r:.80}; the public key's 64 hexadecimal digits are needed. `python -m "
            "scripts.serve public-key` prints them where MULGIL_SIGNING_KEY is set."
        ) from error


def find_public_key(signing_key: str, verify_key: str) -> Ed25519PublicKey:
    """Give the key that files must be signed with.

    Args:
        signing_key: the secret, or empty.
        verify_key: the public half, or empty; it goes first.

    Raises:
        BadSettings: both are empty, or one cannot be read.
    """
    if verify_key:
        return read_public_key(verify_key)
    if signing_key:
        return make_signer(signing_key).public_key()
    raise BadSettings(
        "Neither MULGIL_VERIFY_KEY nor MULGIL_SIGNING_KEY is set, so nobody could tell a forged allocation from ours. "
        "Set the one that tasks of Airflow sign with, or its public half."
    )


def sign(content: bytes, key: Ed25519PrivateKey) -> str:
    """Sign some bytes; the same bytes and key have the same signature, in base64."""
    return base64.b64encode(key.sign(content)).decode()


def is_signed(content: bytes, signature: str, key: Ed25519PublicKey) -> bool:
    """Tell whether the owner of a key signed exactly these bytes."""
    try:
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, ValueError):
        return False
    return True
