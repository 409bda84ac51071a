"""The configuration of documents: who issues them, and where files are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

from marketplace.entrypoints.environment import Reader

_NAME, _ADDRESS, _VAT_NUMBER = "PLATFORM_LEGAL_NAME", "PLATFORM_ADDRESS", "PLATFORM_VAT_NUMBER"
_MAX = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformSettings:
    """Who issues invoices. What is issued keeps what was set then."""

    legal_name: str
    """PLATFORM_LEGAL_NAME: the company, as it is registered; production needs it."""
    address: tuple[str, ...]
    """PLATFORM_ADDRESS: its address, a comma between the lines; production needs it."""
    vat_number: str
    """PLATFORM_VAT_NUMBER: empty without VAT; production needs it while PLATFORM_VAT_PERCENT is not 0."""
    vat_percent: Decimal
    """PLATFORM_VAT_PERCENT: a fraction from 0 to 1, of the VAT that the marketplace's fees include; 0.20."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BucketSettings:
    """Where files are kept: with no ``name`` in a folder, and the rest is not looked at."""

    name: str
    """AWS_STORAGE_BUCKET_NAME: empty for the folder MARKETPLACE_HOME/media."""
    region: str
    """AWS_S3_REGION_NAME: us-east-1."""
    endpoint_url: str
    """AWS_S3_ENDPOINT_URL: of a server that speaks as S3 does; empty for Amazon's."""
    access_key: str
    """AWS_ACCESS_KEY_ID: empty for the credentials of the machine."""
    secret_key: str = field(repr=False)
    """AWS_SECRET_ACCESS_KEY."""

    @property
    def kind(self) -> str:
        """``bucket`` or ``folder``."""
        return "bucket" if self.name else "folder"


def read_platform(read: Reader, *, is_production: bool) -> PlatformSettings:
    """Faults are left with ``read``."""
    platform = PlatformSettings(
        legal_name=_short(read, _NAME, "Marketplace (development)"),
        address=tuple(line.strip() for line in _short(read, _ADDRESS).split(",") if line.strip()),
        vat_number=_short(read, _VAT_NUMBER),
        vat_percent=read.rate("PLATFORM_VAT_PERCENT", "0.20"),
    )
    if is_production:
        if not read.text(_NAME):
            read.fault(_NAME, "production needs the name that its invoices are issued in")
        if not platform.address:
            read.fault(_ADDRESS, "production needs the address that its invoices are issued from")
        if platform.vat_percent and not platform.vat_number:
            read.fault(_VAT_NUMBER, "is needed on invoices with VAT; set PLATFORM_VAT_PERCENT to 0 if there is none")
    return platform


def read_bucket(read: Reader) -> BucketSettings:
    """Faults are left with ``read``; none repeats a secret."""
    bucket = BucketSettings(
        name=read.text("AWS_STORAGE_BUCKET_NAME"),
        region=read.text("AWS_S3_REGION_NAME", "us-east-1"),
        endpoint_url=read.text("AWS_S3_ENDPOINT_URL"),
        access_key=read.text("AWS_ACCESS_KEY_ID"),
        secret_key=read.text("AWS_SECRET_ACCESS_KEY"),
    )
    if bucket.name:
        if bool(bucket.access_key) != bool(bucket.secret_key):
            read.fault("AWS_SECRET_ACCESS_KEY", "goes with AWS_ACCESS_KEY_ID: set both, or neither")
        if bucket.endpoint_url and not _is_address(bucket.endpoint_url):
            read.fault("AWS_S3_ENDPOINT_URL", "takes an address such as https://s3.example.com")
    return bucket


def _short(read: Reader, name: str, default: str = "") -> str:
    value = read.text(name, default)
    if len(value) > _MAX or any(ord(character) < 32 for character in value):
        read.fault(name, f"takes one line of at most {_MAX} characters")
        return default
    return value


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
