"""Who issues documents and where files are kept, and what is refused of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from marketplace.adapters.memory.media import InMemoryMedia
from marketplace.adapters.s3_media import S3Media
from marketplace.entrypoints.container import Container
from marketplace.entrypoints.container.backends import MemoryBackend
from marketplace.entrypoints.settings import BadConfiguration, Settings
from tests.unit.test_stripe_settings import LIVE

BUCKET = {
    "AWS_STORAGE_BUCKET_NAME": "cards",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "a-secret-of-the-bucket",
}


def faults(environ) -> list[str]:
    with pytest.raises(BadConfiguration) as error:
        Settings.from_env(environ)
    return error.value.faults


def test_development_needs_nothing() -> None:
    platform = Settings.from_env({}).platform
    assert (platform.vat_percent, platform.address, bool(platform.legal_name)) == (Decimal("0.20"), (), True)


def test_what_production_sets_stands_on_its_documents() -> None:
    container = Container(settings=Settings.from_env(LIVE), backend=MemoryBackend())
    party = container.documents.issuer().party
    assert (party.name, party.address) == ("Card Market SAS", ("1 rue des Cartes", "75001 Paris"))
    assert (party.vat_number, container.documents.issuer().vat_rate) == ("FR40303265045", Decimal("0.20"))


@pytest.mark.parametrize("name", ["PLATFORM_LEGAL_NAME", "PLATFORM_ADDRESS", "PLATFORM_VAT_NUMBER"])
def test_production_needs_to_say_who_it_is(name: str) -> None:
    (fault,) = faults({**LIVE, name: ""})
    assert fault.startswith(f"{name}: ")


def test_without_vat_there_is_no_number_to_tell() -> None:
    settings = Settings.from_env({**LIVE, "PLATFORM_VAT_NUMBER": "", "PLATFORM_VAT_PERCENT": "0"})
    assert settings.platform.vat_percent == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"PLATFORM_LEGAL_NAME": "x" * 501}, "PLATFORM_LEGAL_NAME"),
        ({"PLATFORM_ADDRESS": "1 rue\n75001 Paris"}, "PLATFORM_ADDRESS"),
        ({"PLATFORM_VAT_PERCENT": "20"}, "PLATFORM_VAT_PERCENT"),
        ({**BUCKET, "AWS_SECRET_ACCESS_KEY": ""}, "AWS_SECRET_ACCESS_KEY"),
        ({**BUCKET, "AWS_S3_ENDPOINT_URL": "minio:9000"}, "AWS_S3_ENDPOINT_URL"),
        ({**BUCKET, "AWS_S3_ENDPOINT_URL": "http://[::1"}, "AWS_S3_ENDPOINT_URL"),
    ],
)
def test_what_cannot_be_used_is_named(change, name: str) -> None:
    (fault,) = faults(change)
    assert fault.startswith(f"{name}: ")
    assert "a-secret-of-the-bucket" not in fault


def test_a_bucket_is_chosen_by_its_name() -> None:
    def storage(environ):
        return Container(settings=Settings.from_env(environ), backend=MemoryBackend()).documents.storage()

    assert isinstance(storage({}), InMemoryMedia)
    assert isinstance(storage(BUCKET), S3Media)
    assert "a-secret-of-the-bucket" not in repr(Settings.from_env(BUCKET))
