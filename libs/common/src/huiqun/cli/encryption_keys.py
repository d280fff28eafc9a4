"""`huiqun encryption-keys`: exchange the key under which a service's data keys are wrapped."""

import typer
from pydantic import ValidationError

from huiqun.audit import AuditEntry, append_audit_entry
from huiqun.cli.operator import run_in_transaction, shell_actor
from huiqun.cli.terminal import Service, exit_with_error, load_settings, notes, run_command
from huiqun.privacy.encryption import MasterKeyError, MasterKeys, open_encryption
from huiqun.service.settings import EncryptionSettings, describe_settings_errors
from huiqun.work import Work

app = typer.Typer(help="The keys that names and ids of other platforms are encrypted under.", no_args_is_help=True)


@app.command()
def rewrap(service: Service) -> None:
    """Wrap a service's data keys under HUIQUN_ENCRYPTION_KEY that lie under HUIQUN_PREVIOUS_ENCRYPTION_KEY.

    Once all processes run with both; then the previous one is no longer needed. What is encrypted stays as it is.
    """
    keys = _master_keys()

    async def use_case(work: Work) -> int:
        async with open_encryption(load_settings().mongo, load_settings().database_of(service), keys) as encryption:
            changed = await encryption.rewrap_keys()
        await append_audit_entry(
            work, AuditEntry(shell_actor(), "encryption-keys.rewrapped", "encryption-keys", {"keys": changed})
        )
        return changed

    try:
        changed = run_command(run_in_transaction(service, use_case))
    except MasterKeyError as error:
        exit_with_error(f"In the vault of {service}, {error}: set HUIQUN_PREVIOUS_ENCRYPTION_KEY to it.")
    notes.print(f"{changed} data keys of {service} wrapped anew.", highlight=False)


def _master_keys() -> MasterKeys:
    try:
        return EncryptionSettings().master_keys
    except ValidationError as error:
        exit_with_error("\n".join(describe_settings_errors(EncryptionSettings, error)))
