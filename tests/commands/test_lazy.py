"""The command line imports only the command that was asked for, and says the same of it before and after."""

import subprocess
import sys
from typing import Any

import pytest
from typer.testing import CliRunner

from stream_app.__main__ import COMMANDS, cli
from stream_app.commands.lazy import load


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says_of_itself(name: str) -> None:
    module, line = COMMANDS[name]
    command: Any = load(name, module)
    assert " ".join((command.help or "").partition("\n\n")[0].split()) == line
    result = CliRunner().invoke(cli, [name, "--help"], terminal_width=200)
    assert result.exit_code == 0
    assert f"stream-app {name} " in result.output


def test_help_loads_no_command() -> None:
    code = "import sys; from stream_app.__main__ import cli; cli(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(name in done.stdout for name in COMMANDS)
    assert "'stream_app.commands.lazy'" in done.stdout
    assert not {f"'{name}'" for name in ("msgspec", "faust", "redis", "aiokafka", "aiohttp")} & {
        *done.stdout.split(", ")
    }


def test_a_command_that_is_not_there_is_refused() -> None:
    result = CliRunner().invoke(cli, ["worke"])
    assert result.exit_code == 2
    assert "No such command 'worke'" in result.output
