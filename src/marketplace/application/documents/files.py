"""Documents as files: drawn once, kept, and drawn again, the same byte for byte, when a file is lost."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.application.ports.documents import PageRenderer
from marketplace.application.ports.media import MediaStorage
from marketplace.domain.documents import Document


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentFiles:
    """Never used while a unit of work is open: drawing takes a while, and the storage may be far away."""

    storage: MediaStorage
    renderer: PageRenderer

    def keep(self, document: Document) -> None:
        """See to it that there is a file of it. Raises Unavailable when the storage does not answer."""
        if not self.storage.exists(document.media_key):
            self.storage.put(document.media_key, self.renderer.document(document))

    def read(self, document: Document) -> bytes:
        """Its file, drawn anew if it is lost. Raises Unavailable when the storage does not answer."""
        found = self.storage.get(document.media_key)
        if found is not None:
            return found.content
        content = self.renderer.document(document)
        self.storage.put(document.media_key, content)
        return content
