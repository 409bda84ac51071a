"""Files in a folder of this machine, for one server that keeps everything itself."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from marketplace.application.ports.media import MAX_BYTES, Media, MediaStorage, checked_size, content_type_of
from marketplace.domain.shared.errors import Unavailable


class FolderMedia(MediaStorage):
    """A key is a path below the folder, and nothing else is: neither ``..`` nor a link leads out of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        path = self._path(key)
        checked_size(key, content)
        with _answering("take"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._require_inside(path)
            handle, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.chmod(draft, 0o640)
                os.replace(draft, path)
            except BaseException:
                os.unlink(draft)
                raise

    def get(self, key: str) -> Media | None:
        path = self._path(key)
        with _answering("give"):
            self._require_inside(path)
            try:
                with path.open("rb") as file:
                    content = file.read(MAX_BYTES + 1)
            except (FileNotFoundError, NotADirectoryError):
                return None
        if len(content) > MAX_BYTES:
            raise Unavailable(f"{key} is larger than anything that was ever put there; somebody else wrote it.")
        return Media(content, content_type_of(key))

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with _answering("show"):
            self._require_inside(path)
            return path.is_file()

    def _path(self, key: str) -> Path:
        content_type_of(key)
        return self._folder / key

    def _require_inside(self, path: Path) -> None:
        """Raises Unavailable where a link in the folder leads out of it, which only somebody else can have made."""
        if not path.resolve().is_relative_to(self._folder.resolve()):
            raise Unavailable(f"{path.name} lies outside of the media folder; remove the link that leads there.")


@contextmanager
def _answering(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(f"The media folder did not {what} the file: {error.strerror}.") from error
