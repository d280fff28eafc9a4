"""Encrypts single fields under named data keys: names, platform ids, a customer's particulars.

MongoDB's client-side field-level encryption in explicit mode: the server sees only ciphertext. Each data key lies in
the key vault, wrapped under the operator's master key, and goes by a name: one for a service, or one for each customer,
so that destroying the key erases what was encrypted under it, also in backups. The client is PyMongo's, whatever the
driver of the service: only that one encrypts in its asyncio form.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from bson.binary import Binary
from bson.codec_options import CodecOptions
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pymongo.asynchronous.encryption import AsyncClientEncryption
from pymongo.encryption import Algorithm  # type: ignore[attr-defined] # its documented place
from pymongo.errors import DuplicateKeyError, EncryptionError, PyMongoError

from huiqun.store import Client, Database, Index, MongoOptions, close_client, connect, ensure_indexes

KEY_VAULT: Final = "encryption_keys"
#: The data key of all values that are not a single customer's; it is never destroyed.
SERVICE_KEY: Final = "service"
#: How long a process goes on using a data key that has been destroyed elsewhere.
KEY_CACHE_SECONDS: Final = 60
_MASTER_KEY_BYTES = 96
_PURPOSE = b"huiqun field encryption"
_INDEXES = {KEY_VAULT: (Index((("keyAltNames", 1),), unique=True, where={"keyAltNames": {"$exists": True}}),)}


class DataKeyDestroyedError(LookupError):
    """The value was encrypted under a data key that has been destroyed: it is erased and cannot be read again."""


class MasterKeyError(RuntimeError):
    """The data keys are wrapped under another master key: HUIQUN_PREVIOUS_ENCRYPTION_KEY takes that."""


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The secret under which data keys are wrapped, and, while it is being exchanged, the one before."""

    current: str
    previous: str | None = None

    def __repr__(self) -> str:
        return "MasterKeys(…)"

    @property
    def providers(self) -> dict[str, dict[str, bytes]]:
        """The key providers of the driver: a provider is named after its key, so that keys can be exchanged."""
        secrets = [self.current] if self.previous is None else [self.current, self.previous]
        return {provider_of(secret): {"key": _derive(secret)} for secret in secrets}


def provider_of(secret: str) -> str:
    """The name of the provider of a master key, which tells nothing about the key."""
    return f"local:{sha256(_derive(secret)).hexdigest()[:16]}"


def _derive(secret: str) -> bytes:
    return HKDF(SHA256(), _MASTER_KEY_BYTES, salt=None, info=_PURPOSE).derive(secret.encode())


def _key_id_of(encrypted: bytes) -> Binary:
    """The id of the data key, which stands in the clear behind the first byte of a ciphertext."""
    return Binary(encrypted[1:17], 4)


class FieldEncryption:
    """Encrypts and decrypts values under the data keys of one database's vault.

    Values are what BSON can hold; to encrypt several fields of a document at once, give them as one mapping: that is
    one encryption, of about 50 µs, and nothing is sent to the server but for a key that is not in the cache.
    """

    def __init__(self, client: Client, database: str, keys: MasterKeys) -> None:
        """`client` is one of PyMongo's own, and stays open when this is closed."""
        self._vault: Database = client[database]
        self._provider = provider_of(keys.current)
        self._providers = keys.providers
        self._encryption: AsyncClientEncryption[dict[str, Any]] = AsyncClientEncryption(
            self._providers,
            f"{database}.{KEY_VAULT}",
            client,
            CodecOptions(tz_aware=True),
            key_expiration_ms=KEY_CACHE_SECONDS * 1000,
        )

    async def start(self) -> None:
        """Have the vault and the service's key ready; raises MasterKeyError if that is wrapped under another key."""
        await ensure_indexes(self._vault, _INDEXES)
        await self.ensure_key(SERVICE_KEY)
        await self.encrypt("", SERVICE_KEY)

    async def close(self) -> None:
        """Forget the cached keys."""
        await self._encryption.close()

    async def ensure_key(self, name: str) -> None:
        """Create the data key of this name if there is none; of two that do so at once, one key remains."""
        try:
            if await self._encryption.get_key_by_alt_name(name) is None:
                await self._encryption.create_data_key(self._provider, key_alt_names=[name])
        except EncryptionError as error:
            if not isinstance(error.cause, DuplicateKeyError):
                raise error.cause from None

    async def encrypt(self, value: Any, key_name: str) -> bytes:  # noqa: ANN401 - whatever BSON can hold
        """Encrypt a value; the same value gives other bytes each time. Raises DataKeyDestroyedError without a key."""
        try:
            encrypted = await self._encryption.encrypt(
                value, Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random, key_alt_name=key_name
            )
        except EncryptionError as error:
            raise await self._explained(error, {"keyAltNames": key_name}) from None
        return encrypted

    async def decrypt(self, encrypted: bytes) -> Any:  # noqa: ANN401 - what was encrypted
        """Decrypt what `encrypt` returned; raises DataKeyDestroyedError or MasterKeyError."""
        try:
            return await self._encryption.decrypt(Binary(encrypted, 6))
        except EncryptionError as error:
            raise await self._explained(error, {"_id": _key_id_of(encrypted)}) from None

    async def encrypt_each(self, values: Sequence[Any], key_name: str) -> list[bytes]:
        """Encrypt many values, in their order."""
        return [await self.encrypt(value, key_name) for value in values]

    async def destroy_key(self, name: str) -> bool:
        """Destroy a data key, and with it all that was encrypted under it; False if there was none.

        A process that used the key lately can read for another KEY_CACHE_SECONDS.
        """
        found = await self._vault[KEY_VAULT].delete_one({"keyAltNames": name})
        return found.deleted_count == 1

    async def rewrap_keys(self) -> int:
        """Wrap the data keys that lie under the previous master key under the current one; returns how many.

        Nothing else changes, so it may be repeated, and run while services read and write that have both keys. Raises
        MasterKeyError where a key lies under neither.
        """
        others = {"masterKey.provider": {"$ne": self._provider}}
        try:
            result = await self._encryption.rewrap_many_data_key(others, self._provider)
        except EncryptionError as error:
            raise await self._explained(error, others | {"masterKey.provider": {"$nin": [*self._providers]}}) from None
        return result.bulk_write_result.modified_count if result.bulk_write_result is not None else 0

    async def _explained(self, error: EncryptionError, key: dict[str, Any]) -> Exception:
        """What an error of the library means; its message may quote the value, so it goes no further.

        An error of the store, on the way to the vault, is itself.
        """
        if isinstance(error.cause, PyMongoError):
            return error.cause
        found = await self._vault[KEY_VAULT].find_one(key, {"masterKey": 1})
        if found is None:
            return DataKeyDestroyedError("the data key does not exist")
        provider = found["masterKey"]["provider"]
        if provider not in self._providers:
            return MasterKeyError("a data key is wrapped under a master key that is not set")
        return ValueError(f"not a value that can be encrypted or decrypted here ({type(error).__name__})")


@asynccontextmanager
async def open_encryption(
    server: MongoOptions | str, database: str, keys: MasterKeys
) -> AsyncIterator[FieldEncryption]:
    """Reach the vault through a client of its own: PyMongo's, whatever driver the service has."""
    options = server if isinstance(server, MongoOptions) else MongoOptions(server)
    client = connect(replace(options, driver="pymongo"), app_name="huiqun-encryption")
    encryption = FieldEncryption(client, database, keys)
    try:
        yield encryption
    finally:
        await encryption.close()
        await close_client(client)
