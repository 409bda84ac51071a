"""The parts that issue invoices and credit notes, keep them as files, and read them and the statements."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.adapters.pdf.renderer import ReportLabPages
from marketplace.adapters.s3_media import Bucket, S3Media
from marketplace.application.documents.files import DocumentFiles
from marketplace.application.documents.issuing import IssueDocuments
from marketplace.application.documents.parties import Sellers
from marketplace.application.documents.reading import ReadDocuments
from marketplace.application.documents.statements import ReadStatements
from marketplace.application.ports.clock import Clock
from marketplace.domain.documents import Issuer, Party
from marketplace.entrypoints.document_settings import BucketSettings, PlatformSettings
from marketplace.entrypoints.settings import Settings


def issuer_of(platform: PlatformSettings) -> Issuer:
    """The marketplace as it stands on its documents."""
    party = Party(name=platform.legal_name, address=platform.address, vat_number=platform.vat_number)
    return Issuer(party=party, vat_rate=platform.vat_percent)


def bucket_of(bucket: BucketSettings) -> S3Media:
    return S3Media(
        Bucket(
            name=bucket.name,
            region=bucket.region,
            endpoint_url=bucket.endpoint_url,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
        )
    )


class Documents(containers.DeclarativeContainer):
    """``issue`` is the worker's, the rest are use cases."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()
    clock: providers.Dependency[Clock] = providers.Dependency()

    unit_of_work = backend.unit_of_work.provider
    issuer = providers.Singleton(issuer_of, settings.provided.platform)
    storage = providers.Selector(
        settings.provided.bucket.kind,
        folder=backend.media,
        bucket=providers.Singleton(bucket_of, settings.provided.bucket),
    )
    pages = providers.Singleton(ReportLabPages)
    files = providers.Singleton(DocumentFiles, storage=storage, renderer=pages)
    sellers = providers.Singleton(Sellers, identity=backend.identity_queries)
    issue = providers.Singleton(
        IssueDocuments,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        issuer=issuer,
        sellers=sellers,
        files=files,
    )
    read = providers.Singleton(
        ReadDocuments,
        unit_of_work=unit_of_work,
        clock=clock,
        queries=backend.document_queries,
        orders=backend.order_queries,
        files=files,
    )
    statements = providers.Singleton(
        ReadStatements,
        unit_of_work=unit_of_work,
        clock=clock,
        queries=backend.statement_queries,
        sellers=sellers,
        issuer=issuer,
        currency=settings.provided.currency,
    )
