"""``stream-app config``: what is applied is in force, and what is wrong is one line."""

import asyncio
import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from msgspec import structs
from typer.testing import CliRunner, Result

from stream_app.__main__ import cli
from stream_app.commands.config.document import as_toml, read
from stream_app.errors import BadSettingsError
from stream_app.model.kpis import BY_NAME
from stream_app.model.targets import Overrides, QueueOverrides, Targets
from stream_app.model.targets.calendars import Hours
from stream_app.model.targets.presets import PRESETS, Preset
from stream_app.store.redis import RedisStore
from tests.store.backends import P0
from tests.store.hand import Hand, queued

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
    assert [run("apply", str(file)).output.splitlines()[-1] for _ in range(2)] == [
        "version 1 is in force",
        "version 1 is in force, unchanged",
    ]
    shown = json.loads(run("show").output)
    assert shown["version"] == 1
    stored = Targets.from_json(json.dumps(shown["settings"]).encode())
    assert stored == read(file)
    rule = stored.rule("billing", "voice")
    assert (rule.targets["service_level"], rule.targets["abandonment"]) == (0.95, 0.03)
    assert rule.calendar is not None


def test_what_changes_is_printed_first_and_may_be_all_that_is_done(tmp_path: Path) -> None:
    run("apply", str(written(tmp_path, DOCUMENT)), "--by", "ann")
    other = DOCUMENT.replace("0.95", "0.9").replace("partner = true\n", 'unit = "EU"\n')
    file = written(tmp_path, other + '\n[queues."first.line"]\nanswer_target_s = 30\n')
    said = [
        '+ queues."first.line".answer_target_s = 30.0',
        "- queues.billing.partner = true",
        "~ queues.billing.targets.service_level: 0.95 → 0.9",
        '+ queues.billing.unit = "EU"',
    ]
    dry = run("apply", str(file), "--dry-run").output.splitlines()
    assert (sorted(dry[:-1]), dry[-1]) == (sorted(said), "nothing was applied; version 1 stays in force")
    assert run("apply", str(file), "--by", "ben").output.splitlines() == [
        *dry[:-1],
        "version 2 is in force; before: 1",
    ]
    assert run("diff", "1").output.splitlines() == dry[:-1]
    assert run("diff", "2", "2").output == "nothing differs\n"


def test_another_preset_is_one_line_and_its_numbers_are_not_repeated(tmp_path: Path) -> None:
    run("apply", str(written(tmp_path, 'preset = "finance"')))
    said = run("apply", str(written(tmp_path, 'preset = "retail"')), "--dry-run").output.splitlines()
    assert said[:-1] == ['~ preset: "finance" → "retail"']


def test_versions_say_when_and_who_and_a_former_one_comes_back_as_a_new_one(tmp_path: Path) -> None:
    for target, who in (("0.8", "ann"), ("0.9", "ben")):
        run(
            "apply",
            str(written(tmp_path, f"[defaults]\ntargets = {{ service_level = {target} }}")),
            "--by",
            who,
        )
    assert run("restore", "1", "--by", "cleo").output.splitlines() == [
        "~ defaults.targets.service_level: 0.9 → 0.8",
        "version 3 is in force; before: 2",
    ]
    lines = run("versions").output.splitlines()
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    assert [re.sub(r" \d\d:\d\d:\d\dZ", "", line).replace(today, "today") for line in lines] == [
        "   3  today  cleo, version 1 again (in force)",
        "   2  today  ben",
        "   1  today  ann",
    ]
    refused = run("restore", "7")
    assert isinstance(refused.exception, BadSettingsError)
    assert str(refused.exception) == "there is no version 7; there is: 1, 2, 3"


def test_what_a_former_release_applied_is_listed_as_unknown(tmp_path: Path, redis_url: str) -> None:
    run("apply", str(written(tmp_path, DOCUMENT)))
    with redis.Redis.from_url(redis_url) as client:
        client.delete("kpi:settings:history")
    assert run("versions").output == "   1  unknown               unknown (in force)\n"


def test_nothing_applied_yet_is_said() -> None:
    assert "built-in defaults" in run("versions").output


async def test_names_that_were_never_seen_are_said_with_the_close_one(tmp_path: Path, redis_url: str) -> None:
    file = written(
        tmp_path,
        "[queues.biling]\nanswer_target_s = 30\n[channels.voic]\nanswer_target_s = 9\n[queues.sales]\n",
    )
    assert "never seen" not in (await asyncio.to_thread(run, "apply", str(file), "--dry-run")).stderr, (
        "nothing is known yet"
    )
    store = RedisStore(redis_url)
    hand = await Hand.take(store, P0)
    await hand.do(queued("a", 0, "billing"), queued("b", 0, "sales"))
    await store.close()
    said = await asyncio.to_thread(run, "apply", str(file))
    assert said.stderr.splitlines() == [
        "stream-app: channels.voic: this channel was never seen; did you mean 'voice'?",
        "stream-app: queues.biling: this queue was never seen; did you mean 'billing'?",
    ]
    assert said.stdout.splitlines()[-1] == "version 1 is in force", (
        "a warning, for the queue may begin tomorrow"
    )


def test_the_file_may_be_the_process_s_own_configuration(tmp_path: Path) -> None:
    file = written(tmp_path, 'topic = "calls"\nport = 9000\n' + DOCUMENT)
    assert read(file) == Targets.of(tomllib.loads(DOCUMENT))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('presett = "retail"', "presett: unknown key; did you mean 'preset'?"),
        (
            DOCUMENT.replace('"office"', '"offce"'),
            "queues.billing.calendar: unknown calendar 'offce'; did you mean 'office'?",
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
    file = DOCS / "targets.example.toml"
    targets = read(file)
    document = file.read_text()
    for field in {*Overrides.__struct_fields__, *QueueOverrides.__struct_fields__, *Hours.__struct_fields__}:
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
    twins = {
        kpi.twin for kpi in BY_NAME.values() if kpi.twin
    }  # of a queue's own, both clocks are held against it
    for channel in ("voice", "chat", "messaging", "email", "social"):
        own, preset_s = spelled.rule("q", channel), named.rule("q", channel)
        left = {
            name: target
            for name, target in own.targets.items()
            if name not in twins - preset_s.targets.keys()
        }
        assert structs.replace(own, targets=left) == preset_s
    numbers = [line for line in printed.splitlines() if "=" in line and not line.startswith("#")]
    assert all(re.search(r"  # .+ \(.+\)$", line) for line in numbers), "every number with reason and source"


def test_a_preset_that_does_not_exist_is_one_line() -> None:
    error = run("presets", "finanse").exception
    assert isinstance(error, BadSettingsError)
    assert str(error) == "unknown preset 'finanse'; did you mean 'finance'?"
