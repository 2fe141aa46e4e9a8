"""``stream-app render`` says which secrets compose's containers can't read."""

import os
from pathlib import Path, PurePosixPath

import pytest

from stream_app.commands import secret_files
from tests.deploy.composing import compose
from tests.deploy.permissions import documented_modes, may_read
from tests.test_docs_true import TEXTS

SLACK = PurePosixPath("/run/secrets/slack")
FOLDER, FILE = documented_modes(TEXTS["docs/alerting.md"])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose group is the containers'."""
    monkeypatch.setattr(secret_files, "GROUP", os.getgid())
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "slack").write_text("s3cret")
    return tmp_path


def said(root: Path, folder: int, file: int) -> list[str]:
    (root / "secrets" / "slack").chmod(file)
    (root / "secrets").chmod(folder)
    found = list(secret_files.doubts(root, [SLACK, PurePosixPath("/etc/elsewhere")]))
    (root / "secrets").chmod(0o700)
    return found


@pytest.mark.parametrize("folder", [0o700, FOLDER, 0o755, 0o705])
@pytest.mark.parametrize("file", [0o600, FILE, 0o644, 0o604])
def test_it_doubts_exactly_what_a_container_can_t_read(root: Path, folder: int, file: int) -> None:
    group = os.getgid()
    readable = may_read(65_534, {65_534, group}, folder, file, owner=os.getuid(), group=group)
    assert (said(root, folder, file) == []) == readable


def test_what_the_page_says_is_well_and_anything_tighter_is_named(root: Path) -> None:
    assert said(root, FOLDER, FILE) == []
    assert said(root, FOLDER, 0o600)[0].startswith(f"{root}/secrets/slack: containers can't read it")
    assert said(root, 0o700, FILE)[0].startswith(f"{root}/secrets: containers can't read it")


def test_a_missing_or_empty_secret_is_named(root: Path) -> None:
    (root / "secrets" / "slack").write_text("")
    assert said(root, FOLDER, FILE) == [f"{root}/secrets/slack: the file is empty"]
    (missing,) = secret_files.doubts(root, [PurePosixPath("/run/secrets/jira")])
    assert missing.startswith(f"{root}/secrets/jira: no such file or directory;")


def test_the_group_is_that_of_compose() -> None:
    for name in ("grafana", "alertmanager"):
        service = compose()["services"][name]
        assert service["group_add"] == [str(secret_files.GROUP)]
        assert f"./secrets:{secret_files.MOUNTED}:ro" in service["volumes"]
