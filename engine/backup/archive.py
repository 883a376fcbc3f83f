"""One file of a backup: a ZIP of JSON lines, and a manifest that says what they are and is sealed with the master key.

A ZIP's directory is written last, so a file that was cut off is none. `manifest.json` names each entry's columns, rows and SHA-256; its
own keyed hash (HMAC-SHA-256) shows whether anybody without the master key changed it, or whether the master key is another one.
"""

import errno
import fcntl
import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.db import canonical, new_id
from engine.exceptions import BackupBroken, BackupExists, BackupForeign, BackupNotWritten, BackupRunning, WrongMasterKey
from engine.vault import Vault

FORMAT = 1
MANIFEST = "manifest.json"
DATA, KEYS = "data", "keys"
DRAFT = ".part"
BLOCK = 1 << 20
_NOT_WRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR)


class Writer:
    """A file being written, under a name that says it is not finished."""

    def __init__(self, final: Path, vault: Vault, about: dict):
        """`about`: JSON that goes into the manifest; needs `county` and `kind`."""
        self.final = final
        self.draft = final.with_name(f".{final.name}{DRAFT}")
        self._vault = vault
        self.manifest = {"format": FORMAT, "id": new_id(), **about, "entries": {}}
        self._file = open(os.open(self.draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=4)

    def entry(self, name: str, columns: list[str], rows: Iterable[list]) -> None:
        """Write rows (plain JSON, in the order of `columns`) as the lines of an entry."""
        digest, count, buffer = hashlib.sha256(), 0, bytearray()
        with self._zip.open(f"{name}.jsonl", "w", force_zip64=True) as file:
            for row in rows:
                buffer += canonical(row).encode() + b"\n"
                count += 1
                if len(buffer) >= BLOCK:
                    digest.update(buffer)
                    file.write(buffer)
                    buffer = bytearray()
            digest.update(buffer)
            file.write(buffer)
        self.manifest["entries"][name] = {"columns": columns, "rows": count, "sha256": digest.hexdigest()}

    def finish(self) -> None:
        """Write the manifest and bring everything to the disk; the file still has its draft's name."""
        self.manifest["key_check"] = _key_check(self._vault, self.manifest)
        self.manifest["seal"] = _seal(self._vault, self.manifest)
        self._zip.writestr(MANIFEST, canonical(self.manifest))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def publish(self, replace: bool = False) -> None:
        """Give the file its name. Raises BackupExists rather than overwrite another, unless told to `replace` it."""
        if replace:
            os.replace(self.draft, self.final)
        else:
            try:
                os.link(self.draft, self.final)  # a rename would overwrite
            except FileExistsError as error:
                raise BackupExists(path=str(self.final)) from error
            self.draft.unlink()
        sync_folder(self.final.parent)

    def discard(self) -> None:
        """Remove what is not finished."""
        self._zip.fp = None  # or it would write its directory after all
        with suppress(OSError, ValueError):
            self._file.close()
        with suppress(OSError):
            self.draft.unlink()


class Archive:
    """A file of a backup, opened for reading; what its manifest says can be believed."""

    def __init__(self, path: Path, vault: Vault, county_id: str, kind: str):
        """Raises BackupBroken (no such file, cut off, changed), WrongMasterKey, BackupForeign (of another county)."""
        self.path = Path(path)
        try:
            self._zip = zipfile.ZipFile(self.path)
            self.manifest = json.loads(self._zip.read(MANIFEST))
            found = self.manifest["format"], self.manifest["kind"]
            county = self.manifest["county"]
        except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError) as error:
            raise BackupBroken(path=str(path), reason=_why(error)) from error
        if found != (FORMAT, kind):
            raise BackupBroken(path=str(path), reason="不是这一种备份文件，或者格式来自更新的版本")
        if county != county_id:
            raise BackupForeign(path=str(path), county=county, here=county_id)
        if self.manifest.get("key_check") != _key_check(vault, self.manifest):
            raise WrongMasterKey(path=str(path))
        if self.manifest.get("seal") != _seal(vault, self.manifest):
            raise BackupBroken(path=str(path), reason="清单被改动过")

    def check(self, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Read everything once and compare it with the manifest. Raises BackupBroken."""
        total, done = sum(entry["rows"] for entry in self.manifest["entries"].values()), 0
        for name, entry in self.manifest["entries"].items():
            digest = hashlib.sha256()
            with self._reading(name) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    done += block.count(b"\n")
                    progress(done, total)
            if digest.hexdigest() != entry["sha256"]:
                raise BackupBroken(path=str(self.path), reason="内容与清单的校验和不符")

    def rows(self, name: str) -> Iterator[list]:
        """The rows of an entry, in the order of `columns(name)`."""
        with self._reading(name) as file:
            for line in file:
                yield json.loads(line)

    def columns(self, name: str) -> list[str]:
        """The columns of an entry."""
        return self.manifest["entries"][name]["columns"]

    def tables(self) -> list[str]:
        """The tables whose rows are in this file."""
        return [name.removeprefix("table/") for name in self.manifest["entries"] if name.startswith("table/")]

    @contextmanager
    def _reading(self, name: str):
        try:
            with self._zip.open(f"{name}.jsonl") as file:
                yield file
        except (OSError, zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
            raise BackupBroken(path=str(self.path), reason=_why(error)) from error

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()


@contextmanager
def disk(path: Path) -> Iterator[None]:
    """What the operating system refuses on the way to a backup's file, in our words. Raises BackupNotWritten."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_WRITTEN:
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise BackupNotWritten(path=str(path), reason="磁盘已满" if full else "不能写在这里") from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else writes backups into this folder meanwhile; drafts of those who were killed are removed. Raises BackupRunning."""
    with open(os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupRunning(path=str(folder)) from error
        for left in folder.glob(f".*{DRAFT}"):
            left.unlink()
        yield


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _key_check(vault: Vault, manifest: dict) -> str:
    """Tells another master key from a changed manifest."""
    return vault.index(str(manifest["county"]), "backup-key", str(manifest["id"]))


def _seal(vault: Vault, manifest: dict) -> str:
    body = {name: value for name, value in manifest.items() if name != "seal"}
    return vault.index(str(manifest["county"]), "backup-manifest", canonical(body))


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "没有这个文件"
    if isinstance(error, zipfile.BadZipFile | zlib.error | EOFError):
        return "文件不完整，或者被改动过"
    return "不是水泊的备份文件" if isinstance(error, KeyError | ValueError | TypeError) else "文件读不出来"
