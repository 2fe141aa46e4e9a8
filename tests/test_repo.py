"""What is in the repository belongs there."""

import re
import struct
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINES = 350
FILE_BYTES = 1024 * 1024
PICTURE_BYTES = 350 * 1000

# In pieces, so that this file does not hold what it looks for.
HOSTS = re.compile(
    "|".join(
        re.escape(".".join(host))
        for host in [
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("maven", "apache", "org"),
            ("maven", "org"),
            ("sonatype", "org"),
            ("npmjs", "org"),
            ("deb", "debian", "org"),
        ]
    )
)
# The folders in which people, and machines that build, keep their work; not below another folder.
PLACES = re.compile(r"(?<![\w.)}\]-])/(?:home|root|Users|work|workspace|builds)/[\w.-]")


def tracked() -> list[Path]:
    """Return every file that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Return where it stands in the tracked text files: path, line and text."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_place_of_one_machine_is_named() -> None:
    assert lines_with(PLACES) == []


def test_no_package_host_is_named() -> None:
    assert lines_with(HOSTS) == []


@pytest.mark.parametrize(
    ("pattern", "line", "found"),
    [
        (PLACES, "cd /" + "home/anna/stream-app", True),
        (PLACES, "path = '/" + "root/.cache'", True),
        (PLACES, "https://example.org/" + "home/page", False),
        (PLACES, "docs/" + "work/items", False),
        (PLACES, "GET /" + "work", False),
        (HOSTS, "--index-url https://" + "pypi" + ".org/simple", True),
        (HOSTS, "https://repo1." + "maven" + ".org/maven2", True),
        (HOSTS, "org.apache.maven.plugins", False),
    ],
)
def test_what_is_looked_for_is_found(pattern: re.Pattern[str], line: str, found: bool) -> None:
    assert bool(pattern.search(line)) == found


def test_nothing_ignored_is_tracked() -> None:
    command = ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""


def test_nothing_is_as_large_as_a_download() -> None:
    assert [path for path in tracked() if path.stat().st_size > FILE_BYTES] == []


@pytest.mark.parametrize("name", [f"requirements{which}.lock" for which in ("", "-demo", "-dev", "-image")])
def test_every_locked_version_carries_a_hash(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(entries) > 20
    entry = re.compile(r"[A-Za-z0-9._-]+(\[[^]]+\])?==[^ ;]+( *;[^#]*?)?( +--hash=sha256:[0-9a-f]{64})+ *")
    assert [line[:80] for line in entries if not entry.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("name", "width", "height"),
    [
        ("wallboard-desk", 1440, 960),
        ("wallboard-table", 1440, 480),
        ("wallboard-tv-dark", 1920, 1080),
        ("wallboard-phone", 390, 844),
        ("wallboard-stale", 1280, 720),
    ],
)
def test_pictures_are_shown_and_as_large_as_they_should_be(name: str, width: int, height: int) -> None:
    path = ROOT / "docs" / "images" / f"{name}.png"
    head = path.read_bytes()[:24]
    assert (head[:8], head[12:16]) == (b"\x89PNG\r\n\x1a\n", b"IHDR")
    assert struct.unpack(">II", head[16:24]) == (width, height)
    assert path.stat().st_size < PICTURE_BYTES
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    assert any(f"images/{name}.png)" in page.read_text() for page in pages)
    assert f'"{name}"' in (ROOT / "scripts" / "screenshots").read_text()


def test_files_are_short_enough_to_read() -> None:
    written = {".py", ".lua", ".js", ".css", ".html"}
    sources = [path for path in (ROOT / "stream_app").rglob("*") if path.suffix in written]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert {path: length for path, length in lengths.items() if length > LINES} == {}
