"""``stream-app config``: what is applied is in force, and what is wrong is one line."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.config import as_toml, read
from stream_app.errors import BadSettingsError
from stream_app.model.targets import QueueWishes, Targets, Wishes
from stream_app.model.targets.calendars import Hours
from stream_app.model.targets.presets import PRESETS, Preset

DOCUMENT = """
preset = "finance"

[calendars.office]
zone = "Europe/Berlin"
hours = { mon-fri = [[09:00:00, 17:00:00]] }
holidays = [2026-12-25]

[queues.billing]
calendar = "office"
site = "Northwind"
partner = true
targets = { service_level = 0.95 }
"""


@pytest.fixture(autouse=True)
def _our_redis(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> None:
    monkeypatch.setenv("REDIS_URL", redis_url)


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["config", *args])


def written(path: Path, text: str) -> Path:
    file = path / "targets.toml"
    file.write_text(text)
    return file


def test_what_is_applied_is_in_force_and_the_same_again_keeps_its_version(tmp_path: Path) -> None:
    file = written(tmp_path, DOCUMENT)
    assert [run("apply", str(file)).output for _ in range(2)] == ["version 1 is in force\n"] * 2
    shown = json.loads(run("show").output)
    assert shown["version"] == 1
    stored = Targets.from_json(json.dumps(shown["settings"]).encode())
    assert stored == read(file)
    rule = stored.rule("billing", "voice")
    assert (rule.targets["service_level"], rule.targets["abandonment"]) == (0.95, 0.03)
    assert rule.calendar is not None


def test_the_file_may_be_the_process_s_own_configuration(tmp_path: Path) -> None:
    file = written(tmp_path, 'topic = "calls"\nport = 9000\n' + DOCUMENT)
    assert read(file) == Targets.of(tomllib.loads(DOCUMENT))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('presett = "retail"', "presett: no setting is called so; did you mean 'preset'?"),
        (
            DOCUMENT.replace('"office"', '"offce"'),
            "queues.billing.calendar: no calendar is called 'offce'; did you mean 'office'?",
        ),
        ("[queues", "Expected ']' at the end of a table declaration (at end of document)"),
        ("\udcff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_place(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "targets.toml"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadSettingsError) as refused:
        read(file)
    assert str(refused.value) == f"{file}: {line}"
    assert isinstance(run("apply", str(file)).exception, BadSettingsError)
    assert json.loads(run("show").output) == {"version": 0, "settings": {}}


DOCS = Path(__file__).parents[2] / "docs"


def test_the_example_shows_every_setting_and_is_valid() -> None:
    file = DOCS / "settings.example.toml"
    targets = read(file)
    document = file.read_text()
    for field in {*Wishes.__struct_fields__, *QueueWishes.__struct_fields__, *Hours.__struct_fields__}:
        assert field in document, f"{field} is a setting that nobody is shown"
    assert targets.lax() == []
    billing = targets.rule("billing", "voice")
    assert (billing.answer_target, billing.site, billing.unit) == (30_000, "Northwind", "insurance")
    assert billing.calendar is not None
    christmas_eve = 1_798_066_800_000  # 2026-12-24T00:00+01:00
    assert billing.calendar.within(christmas_eve, christmas_eve + 2 * 86_400_000) == 4 * 3_600_000


def test_the_documents_in_the_documentation_are_valid() -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / "operations.md").read_text(), re.DOTALL)
    documents = [Targets.of(tomllib.loads(block)) for block in blocks]
    assert [document.preset for document in documents] == ["retail"]


def test_the_presets_are_listed() -> None:
    assert [line.split()[0] for line in run("presets").output.splitlines()] == [p.name for p in PRESETS]


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_printed_as_the_document_that_it_stands_for(preset: Preset) -> None:
    printed = run("presets", preset.name).output
    assert printed == as_toml(preset)
    spelled, named = Targets.of(tomllib.loads(printed)), Targets.of({"preset": preset.name})
    for channel in ("voice", "chat", "messaging", "email", "social"):
        assert spelled.rule("q", channel) == named.rule("q", channel)
    numbers = [line for line in printed.splitlines() if "=" in line and not line.startswith("#")]
    assert all(re.search(r"  # .+ \(.+\)$", line) for line in numbers), "every number with reason and source"


def test_a_preset_that_does_not_exist_is_one_line() -> None:
    error = run("presets", "finanse").exception
    assert isinstance(error, BadSettingsError)
    assert str(error) == "no preset is called 'finanse'; did you mean 'finance'?"
