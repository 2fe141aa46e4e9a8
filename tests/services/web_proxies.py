"""The proxies of docs/proxy.md, with the example configurations as they stand, except for addresses and files."""

import getpass
import os
import shutil
from abc import abstractmethod
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from tests.services.process import HOST, ServerProcess, accepts, free_port, run_tool

DOCS: Final = Path(__file__).parents[2] / "docs"
USER, PASSWORD = "anna", "s3cret"


class WebProxy(ServerProcess):
    """A proxy before the wallboard on ``upstream``, a port; it speaks TLS with a certificate that nobody has signed.

    What is on the port ``others`` takes the place of Grafana and Alertmanager; `replaced` spoils the example.
    """

    def __init__(self, upstream: int, others: int = 1, replaced: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._others = others
        self.port, self._upstream, self._replaced = free_port(), upstream, replaced or {}
        self.ports = {"grafana": free_port(), "alertmanager": free_port()}
        self.url = f"https://{HOST}:{self.port}"
        self._certificate = self.directory / "certificate.pem"
        self._key = self.directory / "certificate.key"
        made = ("-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOST}", "-days", "2")
        run_tool("openssl", "req", "-x509", *made, "-keyout", self._key, "-out", self._certificate)

    def ready(self) -> bool:
        """It listens."""
        return accepts(self.port)

    @abstractmethod
    def site(self, name: str) -> tuple[str, dict[str, str]]:
        """Return where ``grafana`` or ``alertmanager`` is, and the headers that lead there."""

    def _example(self, name: str, replaced: dict[str, str]) -> str:
        """Return an example file with every occurrence of some texts replaced; each must be there."""
        text = (DOCS / name).read_text()
        for old, new in (replaced | {**self._replaced}).items():
            assert old in text, old
            text = text.replace(old, new)
        return text


class Nginx(WebProxy):
    """nginx."""

    name = "nginx"

    def site(self, name: str) -> tuple[str, dict[str, str]]:
        """One port, several names."""
        return self.url, {"Host": f"{name}.example.org"}

    def command(self) -> list[str]:
        """Run the server in the foreground."""
        passwords = self.directory / "htpasswd"
        passwords.write_text(f"{USER}:{run_tool('openssl', 'passwd', '-apr1', PASSWORD)}")
        example = self._example(
            "nginx.example.conf",
            {
                "listen 443 ": f"listen {HOST}:{self.port} ",
                "listen 80;": f"listen {HOST}:{free_port()};",
                "http://127.0.0.1:8080": f"http://{HOST}:{self._upstream}",
                "http://127.0.0.1:3000": f"http://{HOST}:{self._others}",
                "http://127.0.0.1:9093": f"http://{HOST}:{self._others}",
                "/etc/ssl/contact-centre.pem": str(self._certificate),
                "/etc/ssl/contact-centre.key": str(self._key),
                "/etc/nginx/contact-centre.htpasswd": str(passwords),
            },
        )
        (self.directory / "site.conf").write_text(example)
        temporary = [
            f"{kind}_temp_path {self.directory / kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        ]
        as_root = [f"user {getpass.getuser()};"] if os.geteuid() == 0 else []
        main = [
            *as_root,
            "daemon off;",
            "error_log stderr;",
            f"pid {self.directory / 'nginx.pid'};",
            "events {}",
            "http {",
            "access_log off;",
            *temporary,
            f"include {self.directory / 'site.conf'};",
            "}",
        ]
        path = self.directory / "nginx.conf"
        path.write_text("\n".join(main))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"  # not on everybody's path
        return [nginx, "-p", str(self.directory), "-c", str(path)]


@cache
def _hashed() -> str:
    """Return the password's hash, which takes a second on purpose."""
    return run_tool("caddy", "hash-password", "--plaintext", PASSWORD).strip()


class Caddy(WebProxy):
    """Caddy."""

    name = "caddy"

    def site(self, name: str) -> tuple[str, dict[str, str]]:
        """One port for each: the names lead to nowhere here."""
        return f"https://{HOST}:{self.ports[name]}", {}

    def command(self) -> list[str]:
        """Run the server in the foreground."""
        hashed = _hashed()
        tls = f"tls {self._certificate} {self._key}"
        example = self._example(
            "Caddyfile.example",
            {
                "$2a$14$replace.this.by.what.caddy.hash-password.prints": hashed,
                "wallboard.example.org {": f"https://{HOST}:{self.port} {{\n\t{tls}",
                **{
                    f"{name}.example.org {{": f"https://{HOST}:{port} {{\n\t{tls}"
                    for name, port in self.ports.items()
                },
                "127.0.0.1:8080": f"{HOST}:{self._upstream}",
                "127.0.0.1:3000": f"{HOST}:{self._others}",
                "127.0.0.1:9093": f"{HOST}:{self._others}",
            },
        )
        path = self.directory / "Caddyfile"
        path.write_text(
            "{\n\tadmin off\n\tauto_https disable_redirects\n\tservers {\n\t\tprotocols h1 h2\n\t}\n}\n"
            + example
        )
        home = f"HOME={self.directory}"
        return [
            "env",
            home,
            f"XDG_DATA_HOME={self.directory}",
            "caddy",
            "run",
            "--config",
            str(path),
            "--adapter",
            "caddyfile",
        ]
