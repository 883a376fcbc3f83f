"""What deploy/ says, carried out: the commands of its units, its environment file, its nginx site, in a folder instead of /etc and /opt."""

import ipaddress
import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.functional.test_supervisor import free_port
from tests.support.databases import ROOT

DEPLOY = ROOT / "deploy"


def units() -> dict[str, dict[str, list[str]]]:
    """The units: settings by name, each with all its values."""
    return {path.name: unit(path.read_text()) for path in (DEPLOY / "systemd").iterdir()}


def unit(text: str) -> dict[str, list[str]]:
    """A unit's settings."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and line[0] not in "#;[":
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def variables(text: str) -> dict[str, str]:
    """The lines of an environment file."""
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


class Deployment:
    """An installation as deploy/ describes it; everything it starts ends with `stop`."""

    def __init__(self, folder: Path, **settings: str):
        """`settings`: what this machine has in its environment file instead of what deploy/shuibo.env has."""
        self.folder = folder
        self.environment_file = folder / "shuibo.env"
        self.settings = variables((DEPLOY / "shuibo.env").read_text()) | settings
        self.environment_file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        self.log = (folder / "log").open("a")
        self.running: list[subprocess.Popen] = []
        self.clean = {name: value for name, value in os.environ.items() if not name.startswith(("SHUIBO_", "PROMETHEUS_"))}
        self.clean["PYTHONPATH"] = str(ROOT)  # this checkout, whichever the environment was made for

    def shuibo(self, *arguments: object) -> subprocess.CompletedProcess:
        """`deploy/shuibo …`: what the administrator types."""
        command = [str(DEPLOY / "shuibo"), *map(str, arguments)]
        environment = self.clean | {"SHUIBO_ENV": str(self.environment_file)}
        return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=300)

    def start(self, name: str) -> subprocess.Popen:
        """What systemd does for a unit that runs on."""
        (command,) = self._commands(name)
        self.running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment(name), stdout=self.log, stderr=self.log))
        return self.running[-1]

    def run(self, name: str) -> list[subprocess.CompletedProcess]:
        """What systemd does for a unit of one shot: each command, until one fails."""
        done = []
        for command in self._commands(name):
            done.append(subprocess.run(command, cwd=ROOT, env=self._environment(name), capture_output=True, text=True, timeout=300))
            if done[-1].returncode:
                break
        return done

    def start_nginx(self) -> "Https":
        """The site of deploy/nginx with ports and certificate of this test. Answers a browser on it."""
        http, https = free_port(), free_port()
        certificate, key = self.folder / "tls.pem", self.folder / "tls.key"
        _make_certificate(certificate, key)
        site = (DEPLOY / "nginx" / "shuibo.conf").read_text()
        for old, new in {
            "listen 80;": f"listen 127.0.0.1:{http};",
            "listen 443 ssl": f"listen 127.0.0.1:{https} ssl",
            "127.0.0.1:8000": f"127.0.0.1:{self.settings['SHUIBO_PORT']}",
            "/etc/nginx/tls/shuibo.pem": str(certificate),
            "/etc/nginx/tls/shuibo.key": str(key),
        }.items():
            assert old in site
            site = site.replace(old, new)
        site = re.sub(r"\n *listen \[::\].*", "", site)
        (self.folder / "site.conf").write_text(site)
        temporary = "".join(f"{each}_temp_path {self.folder}/nginx-{each};" for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = self.folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""
        main.write_text(
            f"{user} daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log; events {{}}"
            f" http {{ {temporary} include {self.folder}/site.conf; }}"
        )
        self.running.append(subprocess.Popen([nginx(), "-c", str(main)], stdout=self.log, stderr=self.log))
        return Https(f"https://127.0.0.1:{https}", certificate, http)

    def stop(self) -> None:
        """As `systemctl stop`: asked first, killed when deaf."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running.clear()

    def _commands(self, name: str) -> list[list[str]]:
        lines = [self._here(line) for line in units()[name]["ExecStart"]]
        return [[re.sub(r"\$\{(\w+)\}", lambda found: self.settings[found[1]], word) for word in shlex.split(line)] for line in lines]

    def _environment(self, name: str) -> dict[str, str]:
        found = self.clean | self.settings
        for line in units()[name].get("Environment", ()):
            variable, _, value = self._here(line).partition("=")
            found[variable] = value
        for each in units()[name].get("RuntimeDirectory", ()):
            shutil.rmtree(self.folder / "run" / each, ignore_errors=True)
            (self.folder / "run" / each).mkdir(parents=True)
        return found

    def _here(self, text: str) -> str:
        return text.replace("/opt/shuibo", str(ROOT)).replace("/run/", f"{self.folder}/run/")


def nginx() -> str | None:
    """Where nginx is; Debian's is not on everybody's path."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@dataclass
class Answer:
    """What came back."""

    status_code: int
    headers: object
    text: str

    @property
    def json(self):
        """The body, read as JSON."""
        return json.loads(self.text)


class Https:
    """A browser's part of HTTPS: trusts one certificate, keeps cookies as they ask to be kept, does not follow redirects. A client for
    `tests.support.web.Visit` and `Program`."""

    def __init__(self, address: str, certificate: Path, http_port: int):
        self.address, self.http = address, f"http://127.0.0.1:{http_port}"
        self.cookies = CookieJar()
        context = ssl.create_default_context(cafile=str(certificate))
        handlers = [urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(self.cookies), _Stay()]
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, headers: dict | None = None) -> Answer:
        """Read."""
        return self._open(urllib.request.Request(self._url(path), headers=headers or {}))

    def post(self, path: str, data: dict, headers: dict | None = None) -> Answer:
        """Send a form."""
        headers = {"Referer": f"{self.address}/", "Origin": self.address} | (headers or {})
        return self._open(urllib.request.Request(self._url(path), urlencode(data, doseq=True).encode(), headers))

    def open(self, path: str, method: str, headers: dict, json: object = None) -> Answer:
        """Ask as a program."""
        body = None if json is None else _json(json)
        return self._open(urllib.request.Request(self._url(path), body, {"Content-Type": "application/json"} | headers, method=method))

    def _url(self, path: str) -> str:
        return path if path.startswith("http") else self.address + path

    def _open(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as answer:
            return Answer(answer.code, answer.headers, answer.read().decode())


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments):
        return None


def _make_certificate(certificate: Path, key: Path) -> None:
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shuibo.example.gov.cn")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
