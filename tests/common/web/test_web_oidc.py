"""Bearer tokens of an identity provider: a real one, as small as can be, publishes its keys over HTTP."""

import asyncio
import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from huiqun.web import OidcOptions
from huiqun.web.authentication import Authenticator
from local.ports import free_port

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ISSUER = "https://login.example.com"


def as_jwk(key: Any, kid: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


class Provider:
    """Publishes a JWK set and counts how often it is asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked = 0
        self.status = 200
        self.answers, self.waiting = asyncio.Event(), asyncio.Event()
        self.answers.set()
        self.keys = [
            as_jwk(RSA, "r1"),
            as_jwk(EC, "e1"),
            {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
            {"kty": "unheard of", "kid": "u1"},
        ]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        if not self.answers.is_set():
            self.waiting.set()
            await self.answers.wait()
        body = json.dumps({"keys": self.keys}).encode()
        head = f"HTTP/1.1 {self.status} x\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    def options(self, **more: Any) -> OidcOptions:
        url = f"http://127.0.0.1:{self.port}/keys"
        return OidcOptions(issuer=ISSUER, audience="huiqun", jwks_url=url, **more)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    server = await asyncio.start_server(provider.serve, "127.0.0.1", provider.port)
    async with server:
        yield provider


def token(key: Any = RSA, kid: str | None = "r1", algorithm: str = "RS256", **changes: Any) -> str:
    claims = {
        "iss": ISSUER,
        "aud": "huiqun",
        "sub": "u-17",
        "exp": int(time.time()) + 86_400,
        "preferred_username": "li.na",
        "roles": ["viewer", "somebody-elses-role"],
        **changes,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(present, key, algorithm=algorithm, headers={"kid": kid} if kid else {})


async def who(service: Any, bearer: str) -> tuple[int, Any]:
    response = await service.http.post(
        "/api/v1/notes/import", content=b"", headers={"Authorization": f"Bearer {bearer}"}
    )
    return response.status_code, response.json()


async def test_a_valid_token_names_its_subject(start: Any, provider: Provider) -> None:
    async with start(provider.options()) as service:
        for bearer in (token(), token(EC, "e1", "ES256")):
            status, note = await who(service, bearer)
            assert status == 200
            assert (note["id"], note["text"]) == ("oidc:u-17", "li.na")
        assert provider.asked == 1


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def forged(algorithm: str, secret: bytes | None) -> str:
    """Make a token as an attacker would: unsigned, or signed with what everybody can read."""
    claims = {"iss": ISSUER, "aud": "huiqun", "sub": "u", "exp": int(time.time()) + 86_400, "roles": ["admin"]}
    parts = [json.dumps(part).encode() for part in ({"alg": algorithm, "kid": "r1"}, claims)]
    signed = ".".join(map(encoded, parts))
    return f"{signed}." + (encoded(hmac.digest(secret, signed.encode(), "sha256")) if secret else "")


PUBLIC_PEM = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "bearer",
    [
        token(OTHER_RSA),
        token(exp=int(time.time()) - 300),
        token(exp=None),
        token(sub=None),
        token(iss="https://evil.example.com"),
        token(aud="another"),
        token(aud=None),
        token(nbf=int(time.time()) + 86_400),
        token(algorithm="RS512"),
        token(EC, "r1", "ES256"),
        token()[:-4] + "AAAA",
        forged("none", None),
        forged("HS256", PUBLIC_PEM),
        forged("HS256", b"secret"),
        "x.y.z",
        "nonsense",
    ],
)
async def test_a_token_that_proves_nothing_is_401(start: Any, provider: Provider, bearer: str) -> None:
    async with start(provider.options()) as service:
        status, problem = await who(service, bearer)
        assert status == 401
        assert problem["type"] == "urn:huiqun:problem:unauthenticated"


async def test_a_token_without_a_role_of_ours_is_403(start: Any, provider: Provider) -> None:
    async with start(provider.options()) as service:
        assert (await who(service, token(roles=["somebody-elses-role"])))[0] == 403
        assert (await who(service, token(roles=None)))[0] == 403


async def test_roles_may_stand_deeper_and_as_a_text(start: Any, provider: Provider) -> None:
    async with start(provider.options(roles_claim="realm_access.roles")) as service:
        assert (await who(service, token(realm_access={"roles": ["viewer"]})))[0] == 200
        assert (await who(service, token(realm_access={"roles": "openid viewer"})))[0] == 200
        assert (await who(service, token(realm_access="viewer")))[0] == 403


async def test_a_new_key_of_the_provider_is_found(start: Any, provider: Provider) -> None:
    async with start(provider.options(refetch_seconds=0)) as service:
        assert (await who(service, token()))[0] == 200
        assert (await who(service, token(OTHER_RSA, "r2")))[0] == 401
        provider.keys.append(as_jwk(OTHER_RSA, "r2"))
        assert (await who(service, token(OTHER_RSA, "r2")))[0] == 200


async def test_a_key_that_the_provider_begins_to_use_is_accepted_at_its_first_token(
    start: Any, provider: Provider
) -> None:
    async with start(provider.options()) as service:
        assert (await who(service, token()))[0] == 200
        provider.keys.append(as_jwk(OTHER_RSA, "r2"))
        assert (await who(service, token(OTHER_RSA, "r2")))[0] == 200
        answers = [await who(service, token(OTHER_RSA, f"x{number}")) for number in range(100)]
        assert {status for status, _ in answers} == {401}
        assert provider.asked < 10
        provider.status = 500
        for bearer in (token(), token(OTHER_RSA, "r2"), token(EC, "e1", "ES256")):
            assert (await who(service, bearer))[0] == 200


async def test_old_keys_are_used_while_the_provider_does_not_answer(start: Any, provider: Provider) -> None:
    async with start(provider.options(refetch_seconds=0)) as service:
        assert (await who(service, token()))[0] == 200
        provider.answers.clear()
        verifier = service.app.state.provisions.get(Authenticator)._oidc
        verifier._fetched_at -= 10_000
        assert (await who(service, token()))[0] == 200
        await asyncio.wait_for(provider.waiting.wait(), 20)  # it was asked all the same
        provider.keys = [as_jwk(OTHER_RSA, "r2")]
        provider.answers.set()
        async with asyncio.timeout(20):
            while (await who(service, token()))[0] == 200:
                pass
        assert (await who(service, token(OTHER_RSA, "r2")))[0] == 200


async def test_unknown_keys_do_not_flood_the_provider(start: Any, provider: Provider) -> None:
    async with start(provider.options()) as service:
        answers = await asyncio.gather(*(who(service, token(OTHER_RSA, f"x{number}")) for number in range(20)))
        assert {status for status, _ in answers} == {401}
        assert provider.asked == 1


async def test_without_keys_the_answer_is_503_and_known_keys_survive_an_outage(start: Any, provider: Provider) -> None:
    provider.status = 500
    async with start(provider.options(refetch_seconds=0)) as service:
        assert (await who(service, token()))[0] == 503
        provider.status = 200
        assert (await who(service, token()))[0] == 200
        provider.status = 500
        assert (await who(service, token(OTHER_RSA, "r2")))[0] == 401
        assert (await who(service, token()))[0] == 200


@pytest.mark.parametrize("algorithm", ["none", "HS256", ""])
def test_algorithms_that_prove_nothing_cannot_be_allowed(algorithm: str) -> None:
    with pytest.raises(ValueError, match="asymmetric"):
        OidcOptions(issuer="i", audience="a", jwks_url="u", algorithms=(algorithm,))
