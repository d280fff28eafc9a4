"""Single fields are encrypted under named keys, and gone when their key is."""

import asyncio
from collections.abc import AsyncIterator
from typing import get_args

import pytest
import pytest_asyncio

from huiqun.privacy.encryption import (
    KEY_VAULT,
    DataKeyDestroyedError,
    FieldEncryption,
    MasterKeyError,
    MasterKeys,
    open_encryption,
)
from huiqun.store import Client, Driver, MongoOptions, connect

PERSON = {"name": "王小明", "external_ids": {"unionid": "ozynqsulJFCZ2z"}}
KEYS = MasterKeys("the first master key")


@pytest_asyncio.fixture
async def client(mongo_url: str) -> AsyncIterator[Client]:
    client = connect(mongo_url)
    yield client
    await client.close()


@pytest_asyncio.fixture
async def encryption(mongo_options: MongoOptions, database_name: str) -> AsyncIterator[FieldEncryption]:
    async with open_encryption(mongo_options, database_name, KEYS) as encryption:
        await encryption.start()
        await encryption.ensure_key("service")
        yield encryption


@pytest.mark.parametrize("mongo_options", get_args(Driver), indirect=True)
async def test_what_is_encrypted_is_read_back_whatever_the_driver(encryption: FieldEncryption) -> None:
    encrypted = await encryption.encrypt(PERSON, "service")
    assert "王小明".encode() not in encrypted
    assert await encryption.decrypt(encrypted) == PERSON


async def test_the_same_value_looks_different_each_time(encryption: FieldEncryption) -> None:
    first, second = await encryption.encrypt_each([PERSON, PERSON], "service")
    assert first != second


async def test_one_name_has_one_key_however_many_ask(
    encryption: FieldEncryption, client: Client, database_name: str
) -> None:
    await asyncio.gather(*(encryption.ensure_key("customer-1") for _ in range(8)))
    assert await client[database_name][KEY_VAULT].count_documents({"keyAltNames": "customer-1"}) == 1


async def test_a_destroyed_key_takes_what_it_encrypted_with_it(
    encryption: FieldEncryption, mongo_url: str, database_name: str
) -> None:
    await encryption.ensure_key("customer-1")
    encrypted = await encryption.encrypt(PERSON, "customer-1")
    assert await encryption.destroy_key("customer-1")
    assert not await encryption.destroy_key("customer-1")
    async with open_encryption(mongo_url, database_name, KEYS) as elsewhere:
        with pytest.raises(DataKeyDestroyedError):
            await elsewhere.decrypt(encrypted)
        with pytest.raises(DataKeyDestroyedError):
            await elsewhere.encrypt(PERSON, "customer-1")


async def test_another_master_key_is_named_as_the_reason(
    encryption: FieldEncryption, mongo_url: str, database_name: str
) -> None:
    encrypted = await encryption.encrypt(PERSON, "service")
    async with open_encryption(mongo_url, database_name, MasterKeys("the second master key")) as stranger:
        with pytest.raises(MasterKeyError):
            await stranger.decrypt(encrypted)


async def test_master_keys_are_exchanged_while_values_stay(
    encryption: FieldEncryption, mongo_url: str, database_name: str
) -> None:
    encrypted = await encryption.encrypt(PERSON, "service")
    async with open_encryption(mongo_url, database_name, MasterKeys("the second master key", KEYS.current)) as rotating:
        assert await rotating.decrypt(encrypted) == PERSON
        assert await rotating.rewrap_keys() == 1
        assert await rotating.rewrap_keys() == 0
    async with open_encryption(mongo_url, database_name, MasterKeys("the second master key")) as renewed:
        assert await renewed.decrypt(encrypted) == PERSON


@pytest.mark.parametrize("garbage", [b"", b"\x02", b"no ciphertext at all"])
async def test_what_is_no_ciphertext_is_an_error_without_its_content(
    encryption: FieldEncryption, garbage: bytes
) -> None:
    with pytest.raises((DataKeyDestroyedError, ValueError)) as raised:
        await encryption.decrypt(garbage)
    assert "ciphertext at all" not in str(raised.value)


async def test_a_process_with_another_master_key_does_not_start(
    encryption: FieldEncryption, client: Client, database_name: str
) -> None:
    await encryption.start()
    stranger = FieldEncryption(client, database_name, MasterKeys("the second master key"))
    with pytest.raises(MasterKeyError):
        await stranger.start()
    with pytest.raises(MasterKeyError):
        await stranger.rewrap_keys()


def test_master_keys_do_not_show_themselves() -> None:
    assert "first" not in repr(KEYS)
    assert "first" not in "".join(KEYS.providers)
