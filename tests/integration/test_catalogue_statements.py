"""How many statements a request for the catalogue costs: as many for a hundred rows as for one."""

import pytest
import sqlalchemy as sa

from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings
from tests.builders import store_listing, store_variant
from tests.catalogue_files import excerpt
from tests.integration.statements import noted

V1 = "/api/v1"


@pytest.fixture
def container(database_factory):
    container = build_container(Settings.from_env({"DATABASE_URL": database_factory(), "ALLOWED_HOSTS": "localhost"}))
    container.catalogue.import_catalogue()(sets=excerpt("sets"), cards=excerpt("cards"))
    yield container
    container.backend.engine().dispose()


@pytest.fixture
def statements(container):
    """Gets an address and counts what that asks the database for, once everything that is kept has been kept."""
    client = create_app(container).test_client()
    seen = noted(container.backend.engine(), container.backend.reader())

    def count(path):
        assert client.get(V1 + path).status_code == 200, path
        seen.clear()
        client.get(V1 + path)
        return len(seen)

    return count


@pytest.mark.parametrize(
    ("path", "expected", "sizes"),
    [
        ("/products/?", 1, True),
        ("/products/?set=base1&ordering=name&", 1, True),
        ("/products/?category=pokemon&tcg_type=pokemon&q=pikachu&", 2, True),
        ("/search/?q=charizard&", 2, True),
        ("/search/?q=charizard&ordering=-price&", 3, True),
        ("/search/?ordering=price&", 2, True),
        ("/products/{id}/?", 1, False),
        ("/products/{id}/variants/?", 3, True),
        ("/sets/?", 2, True),
        ("/sets/{set}/?", 1, False),
        ("/categories/?", 1, False),
        ("/categories/{category}/?", 1, False),
        ("/languages/?", 1, True),
        ("/versions/?", 1, True),
        ("/conditions/?", 1, True),
        ("/grades/?", 1, True),
    ],
)
def test_is_fixed(container, statements, path, expected, sizes):
    products = container.backend.unit_of_work
    with container.backend.reader().connect() as connection:
        ids = {
            "id": connection.execute(sa.text("select min(id) from products")).scalar_one(),
            "set": connection.execute(sa.text("select min(id) from card_sets")).scalar_one(),
            "category": connection.execute(sa.text("select min(id) from categories")).scalar_one(),
        }
    address = path.format(**ids)
    if sizes:
        assert {statements(f"{address}page_size={size}") for size in (1, 100)} == {expected}
    assert statements(address) == expected
    for language in ("en", "fr", "de"):
        store_listing(products, variant=store_variant(products, ids["id"], language=language))
    assert statements(address) == expected
