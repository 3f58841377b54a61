"""Tokens (JWT) of an issuer of the test's own, and the file of its keys from which brokers know them."""

import time
from pathlib import Path
from typing import Final

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

ISSUER: Final = "https://issuer.example"
AUDIENCE: Final = "kafka"


class Issuer:
    """Signs tokens with a key of its own. ``file`` is the set of its public keys (JWKS)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / "jwks.json"
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        self.file.write_bytes(orjson.dumps({"keys": [public | {"kid": "first", "use": "sig", "alg": "RS256"}]}))

    def token(self, user: str, *, expires_in_s: int = 3600, audience: str = AUDIENCE) -> str:
        """Return a token for a user."""
        now_s = int(time.time())
        claims = {"sub": user, "iss": ISSUER, "aud": audience, "iat": now_s - 7200, "exp": now_s + expires_in_s}
        return jwt.encode(claims | {"scope": "kafka"}, self._key, algorithm="RS256", headers={"kid": "first"})
