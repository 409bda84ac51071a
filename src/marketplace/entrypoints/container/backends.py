"""What differs between memory and PostgreSQL, under equal names: one container each."""

from __future__ import annotations

from dependency_injector import containers, providers

from marketplace.adapters.folder_mailer import FolderMailer
from marketplace.adapters.folder_media import FolderMedia
from marketplace.adapters.memory.audit import InMemoryAuditQueries
from marketplace.adapters.memory.catalogue.imports import InMemoryCatalogueImport
from marketplace.adapters.memory.catalogue.queries import InMemoryCatalogueQueries
from marketplace.adapters.memory.disputes import InMemoryChargebackQueries, InMemoryDisputeQueries
from marketplace.adapters.memory.documents import InMemoryDocumentQueries
from marketplace.adapters.memory.fees import InMemoryFeeScheduleQueries
from marketplace.adapters.memory.health import InMemoryReadiness
from marketplace.adapters.memory.idempotency import InMemoryIdempotencyKeys
from marketplace.adapters.memory.identity import InMemoryIdentityQueries
from marketplace.adapters.memory.ledger import InMemoryLedgerQueries
from marketplace.adapters.memory.ledger_audit import InMemoryLedgerAudit
from marketplace.adapters.memory.listing_queries import InMemoryListingQueries
from marketplace.adapters.memory.mailer import InMemoryMailer
from marketplace.adapters.memory.media import InMemoryMedia
from marketplace.adapters.memory.notifications import InMemoryNotificationQueries
from marketplace.adapters.memory.orders import InMemoryOrderQueries
from marketplace.adapters.memory.outbox import InMemoryOutbox
from marketplace.adapters.memory.password_hasher import FastPasswordHasher
from marketplace.adapters.memory.payments import InMemoryPaymentQueries
from marketplace.adapters.memory.payouts import InMemoryPayoutQueries
from marketplace.adapters.memory.personal_data import InMemoryPersonalDataQueries
from marketplace.adapters.memory.provider_books import InMemoryReconciliationQueries
from marketplace.adapters.memory.provider_events import InMemoryEventSweeps, InMemoryWebhookRefusals
from marketplace.adapters.memory.provider_state import InMemoryProviderState
from marketplace.adapters.memory.reservations import InMemoryClaims, InMemoryReservationQueries
from marketplace.adapters.memory.second_factors import InMemorySecondFactorQueries
from marketplace.adapters.memory.sellers import InMemorySellerQueries
from marketplace.adapters.memory.statements import InMemoryStatementQueries
from marketplace.adapters.memory.store import InMemoryIdSequence, InMemoryStore
from marketplace.adapters.memory.unit_of_work import InMemoryUnitOfWork
from marketplace.adapters.memory.webhook_inbox import InMemoryWebhookInbox
from marketplace.adapters.password_hasher import Argon2PasswordHasher
from marketplace.adapters.postgres.audit import PostgresAuditQueries
from marketplace.adapters.postgres.catalogue.imports import PostgresCatalogueImport
from marketplace.adapters.postgres.catalogue.queries import PostgresCatalogueQueries
from marketplace.adapters.postgres.disputes import PostgresChargebackQueries, PostgresDisputeQueries
from marketplace.adapters.postgres.documents import PostgresDocumentQueries
from marketplace.adapters.postgres.engine import create_engine, create_reader
from marketplace.adapters.postgres.fees import PostgresFeeScheduleQueries
from marketplace.adapters.postgres.health import PostgresReadiness
from marketplace.adapters.postgres.idempotency import PostgresIdempotencyKeys
from marketplace.adapters.postgres.identity_queries import PostgresIdentityQueries
from marketplace.adapters.postgres.ids import PostgresIdSequence
from marketplace.adapters.postgres.ledger import PostgresLedgerQueries
from marketplace.adapters.postgres.ledger_audit import PostgresLedgerAudit
from marketplace.adapters.postgres.listing_queries import PostgresListingQueries
from marketplace.adapters.postgres.notifications import PostgresNotificationQueries
from marketplace.adapters.postgres.order_queries import PostgresOrderQueries
from marketplace.adapters.postgres.outbox import PostgresOutbox
from marketplace.adapters.postgres.payments import PostgresPaymentQueries
from marketplace.adapters.postgres.payout_queries import PostgresPayoutQueries
from marketplace.adapters.postgres.personal_data import PostgresPersonalDataQueries
from marketplace.adapters.postgres.provider_books import PostgresReconciliationQueries
from marketplace.adapters.postgres.provider_events import PostgresEventSweeps, PostgresWebhookRefusals
from marketplace.adapters.postgres.provider_state import PostgresProviderState
from marketplace.adapters.postgres.reservation_queries import PostgresClaims, PostgresReservationQueries
from marketplace.adapters.postgres.second_factors import PostgresSecondFactorQueries
from marketplace.adapters.postgres.sellers import PostgresSellerQueries
from marketplace.adapters.postgres.statements import PostgresStatementQueries
from marketplace.adapters.postgres.unit_of_work import PostgresUnitOfWork
from marketplace.adapters.postgres.webhook_inbox import PostgresWebhookInbox
from marketplace.adapters.smtp_mailer import SmtpMailer
from marketplace.adapters.system_clock import SystemClock
from marketplace.entrypoints.settings import Settings


class MemoryBackend(containers.DeclarativeContainer):
    """Everything in this process; for unit tests."""

    # --- kernel
    store = providers.Singleton(InMemoryStore)
    unit_of_work = providers.Factory(InMemoryUnitOfWork, store)
    ids = providers.Singleton(InMemoryIdSequence)
    readiness = providers.Singleton(InMemoryReadiness)
    idempotency_keys = providers.Singleton(InMemoryIdempotencyKeys, store)
    audit_queries = providers.Singleton(InMemoryAuditQueries, store)

    # --- identity
    identity_queries = providers.Singleton(InMemoryIdentityQueries, store)
    second_factor_queries = providers.Singleton(InMemorySecondFactorQueries, store)
    personal_data_queries = providers.Singleton(InMemoryPersonalDataQueries, store)
    password_hasher = providers.Singleton(FastPasswordHasher)

    # --- catalogue
    catalogue_queries = providers.Singleton(InMemoryCatalogueQueries, store)
    catalogue_import = providers.Singleton(InMemoryCatalogueImport, store, ids)

    # --- listings
    seller_queries = providers.Singleton(InMemorySellerQueries, store)
    listing_queries = providers.Singleton(InMemoryListingQueries, store)

    # --- reservations
    reservation_queries = providers.Singleton(InMemoryReservationQueries, store)
    claims = providers.Singleton(InMemoryClaims, unit_of_work.provider)

    # --- orders
    order_queries = providers.Singleton(InMemoryOrderQueries, store)
    fee_queries = providers.Singleton(InMemoryFeeScheduleQueries, store)

    # --- payments
    payment_queries = providers.Singleton(InMemoryPaymentQueries, store)
    payout_queries = providers.Singleton(InMemoryPayoutQueries, store)
    dispute_queries = providers.Singleton(InMemoryDisputeQueries, store)
    chargeback_queries = providers.Singleton(InMemoryChargebackQueries, store)
    webhook_inbox = providers.Singleton(InMemoryWebhookInbox, store)
    webhook_refusals = providers.Singleton(InMemoryWebhookRefusals, store)
    event_sweeps = providers.Singleton(InMemoryEventSweeps, store)
    provider_state = providers.Singleton(InMemoryProviderState)

    # --- ledger
    ledger_queries = providers.Singleton(InMemoryLedgerQueries, store)
    reconciliation_queries = providers.Singleton(InMemoryReconciliationQueries, store)
    ledger_audit = providers.Singleton(InMemoryLedgerAudit, store)

    # --- documents
    document_queries = providers.Singleton(InMemoryDocumentQueries, store)
    statement_queries = providers.Singleton(InMemoryStatementQueries, store)
    media = providers.Singleton(InMemoryMedia)

    # --- notifications
    outbox = providers.Singleton(InMemoryOutbox, store)
    notification_queries = providers.Singleton(InMemoryNotificationQueries, store)
    mailer = mailbox = providers.Singleton(InMemoryMailer, providers.Singleton(SystemClock))


class PostgresBackend(containers.DeclarativeContainer):
    """Everything in one PostgreSQL. ``engine`` is for transactions, ``reader`` for single statements that read."""

    url = providers.Dependency(instance_of=str)
    settings = providers.Dependency(instance_of=Settings)

    # --- kernel
    engine = providers.Singleton(
        create_engine,
        url,
        pool_size=settings.provided.database_pool_size,
        connect_timeout=settings.provided.database_connect_timeout,
        statement_timeout=settings.provided.database_statement_timeout,
    )
    reader = providers.Singleton(
        create_reader,
        engine,
        pool_size=settings.provided.database_pool_size,
        connect_timeout=settings.provided.database_connect_timeout,
        statement_timeout=settings.provided.database_statement_timeout,
    )
    unit_of_work = providers.Factory(PostgresUnitOfWork, engine)
    ids = providers.Singleton(PostgresIdSequence, reader)
    readiness = providers.Singleton(PostgresReadiness, reader)
    idempotency_keys = providers.Singleton(PostgresIdempotencyKeys, engine)
    audit_queries = providers.Singleton(PostgresAuditQueries, reader)

    # --- identity
    identity_queries = providers.Singleton(PostgresIdentityQueries, reader, settings.provided.terms_version)
    second_factor_queries = providers.Singleton(PostgresSecondFactorQueries, reader)
    personal_data_queries = providers.Singleton(PostgresPersonalDataQueries, reader)
    password_hasher = providers.Singleton(
        Argon2PasswordHasher,
        memory_kib=settings.provided.argon2_memory_kib,
        time_cost=settings.provided.argon2_time_cost,
        parallelism=settings.provided.argon2_parallelism,
        imported_iterations=settings.provided.imported_pbkdf2_iterations,
    )

    # --- catalogue
    catalogue_queries = providers.Singleton(PostgresCatalogueQueries, reader)
    catalogue_import = providers.Singleton(PostgresCatalogueImport, engine, ids)

    # --- listings
    seller_queries = providers.Singleton(PostgresSellerQueries, reader)
    listing_queries = providers.Singleton(PostgresListingQueries, reader)

    # --- reservations
    reservation_queries = providers.Singleton(PostgresReservationQueries, reader)
    claims = providers.Singleton(PostgresClaims, reader)

    # --- orders
    order_queries = providers.Singleton(PostgresOrderQueries, reader)
    fee_queries = providers.Singleton(PostgresFeeScheduleQueries, reader)

    # --- payments
    payment_queries = providers.Singleton(PostgresPaymentQueries, reader)
    payout_queries = providers.Singleton(PostgresPayoutQueries, reader)
    dispute_queries = providers.Singleton(PostgresDisputeQueries, reader)
    chargeback_queries = providers.Singleton(PostgresChargebackQueries, reader)
    webhook_inbox = providers.Singleton(PostgresWebhookInbox, engine)
    webhook_refusals = providers.Singleton(PostgresWebhookRefusals, engine)
    event_sweeps = providers.Singleton(PostgresEventSweeps, engine)
    provider_state = providers.Singleton(PostgresProviderState, engine)

    # --- ledger
    ledger_queries = providers.Singleton(PostgresLedgerQueries, reader)
    reconciliation_queries = providers.Singleton(PostgresReconciliationQueries, reader)
    ledger_audit = providers.Singleton(PostgresLedgerAudit, engine)

    # --- documents
    document_queries = providers.Singleton(PostgresDocumentQueries, reader)
    statement_queries = providers.Singleton(PostgresStatementQueries, reader)
    media = providers.Singleton(FolderMedia, providers.Callable(lambda home: home / "media", settings.provided.home))

    # --- notifications
    outbox = providers.Singleton(PostgresOutbox, engine)
    notification_queries = providers.Singleton(PostgresNotificationQueries, reader)
    mailbox = providers.Singleton(
        FolderMailer,
        providers.Callable(lambda home: home / "mail", settings.provided.home),
        sender=settings.provided.email_from,
        clock=providers.Singleton(SystemClock),
    )
    mailer = providers.Selector(
        providers.Callable(lambda host: "smtp" if host else "folder", settings.provided.email_host),
        folder=mailbox,
        smtp=providers.Singleton(
            SmtpMailer,
            host=settings.provided.email_host,
            port=settings.provided.email_port,
            user=settings.provided.email_host_user,
            password=settings.provided.email_host_password,
            use_tls=settings.provided.email_use_tls,
            sender=settings.provided.email_from,
            clock=providers.Singleton(SystemClock),
        ),
    )
