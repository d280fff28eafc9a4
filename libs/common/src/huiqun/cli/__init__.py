"""The `huiqun` command."""
