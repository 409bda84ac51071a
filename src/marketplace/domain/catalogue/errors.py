"""What the catalogue refuses because of what is in it already."""

from __future__ import annotations

from marketplace.domain.shared.errors import Conflict


class DuplicateCode(Conflict):
    """Another thing of the same kind has this code, slug or external id."""

    code = "duplicate_code"


class CategoryInUse(Conflict):
    code = "category_in_use"
