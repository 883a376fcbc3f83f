"""A bundle as it comes over HTTP: several files of one version, each with its plain name."""

from flask import request

from engine.exceptions import InvalidRequest


def bundle() -> dict[str, bytes]:
    """The uploaded files by name, whatever their field is called. Raises InvalidRequest."""
    files: dict[str, bytes] = {}
    for upload in (each for field in request.files for each in request.files.getlist(field)):
        name = (upload.filename or "").replace("\\", "/").rsplit("/", 1)[-1]
        if not name:
            continue
        if name in files:
            raise InvalidRequest(field="files", reason="有两个同名的文件")
        files[name] = upload.read()
    if not files:
        raise InvalidRequest(field="files", reason="没有收到文件")
    return files
