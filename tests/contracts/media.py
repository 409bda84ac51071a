"""What media storages promise, wherever they keep files. Subclasses provide ``storage``."""

from __future__ import annotations

import pytest

from marketplace.application.ports.media import MAX_BYTES, Media, MediaStorage
from marketplace.domain.shared.errors import Invalid

KEY = "documents/2026/INV-2026-000001.pdf"
BAD_KEYS = (
    *("", "/", "a", "/a.pdf", "a/.pdf", ".a.pdf", "a//b.pdf", "../a.pdf", "a/../b.pdf", "a/./b.pdf", "a.b.pdf"),
    *("a\\b.pdf", "a.pdf/", "a.pdf\n", "a\x00.pdf", "é.pdf", "a.exe", "a b.pdf", f"{'a' * 200}.pdf"),
)


class MediaContract:
    def test_gives_back_what_was_put(self, storage: MediaStorage) -> None:
        content = bytes(range(256)) * 40
        assert (storage.exists(KEY), storage.get(KEY)) == (False, None)
        storage.put(KEY, content)
        assert (storage.exists(KEY), storage.get(KEY)) == (True, Media(content, "application/pdf"))

    def test_keeps_the_last_of_a_key(self, storage: MediaStorage) -> None:
        storage.put(KEY, b"first")
        storage.put(KEY, b"second")
        storage.put("other.png", b"")
        assert storage.get(KEY) == Media(b"second", "application/pdf")
        assert storage.get("other.png") == Media(b"", "image/png")

    def test_takes_no_key_that_leads_elsewhere(self, storage: MediaStorage) -> None:
        for key in BAD_KEYS:
            for act in (storage.get, storage.exists, lambda key: storage.put(key, b"x")):
                with pytest.raises(Invalid):
                    act(key)

    def test_takes_nothing_that_is_too_large(self, storage: MediaStorage) -> None:
        with pytest.raises(Invalid, match="at most"):
            storage.put(KEY, bytes(MAX_BYTES + 1))
        assert not storage.exists(KEY)
