"""Files in memory."""

from __future__ import annotations

from marketplace.application.ports.media import Media, MediaStorage, checked_size, content_type_of


class InMemoryMedia(MediaStorage):
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def put(self, key: str, content: bytes) -> None:
        content_type_of(key)
        checked_size(key, content)
        self.files[key] = content

    def get(self, key: str) -> Media | None:
        content_type = content_type_of(key)
        found = self.files.get(key)
        return None if found is None else Media(found, content_type)

    def exists(self, key: str) -> bool:
        content_type_of(key)
        return key in self.files
