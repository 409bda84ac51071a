"""The parts list: the one place that knows adapters. Imported by the application factory, CLI, worker and tests.

A backend holds what differs between memory and PostgreSQL, under equal names; ``Container`` holds everything else.
Use cases are built once and receive ``backend.unit_of_work.provider``, so that each call opens its own transaction.
"""

from __future__ import annotations

import random

from dependency_injector import containers, providers

from marketplace.adapters.keyed_secrets import KeyedSecrets
from marketplace.adapters.system_clock import SystemClock
from marketplace.application.idempotency import PurgeIdempotencyKeys
from marketplace.application.identity import administration, attempts, registration, sessions
from marketplace.application.identity.actors import FindActor
from marketplace.application.listings.create_listing import CreateListing
from marketplace.application.listings.export_listings import ExportListings
from marketplace.application.listings.import_listings import ImportListings
from marketplace.application.listings.update_listing import ArchiveListing, UpdateListing
from marketplace.application.notifications.disputes import TellDisputeNews
from marketplace.application.notifications.fulfilment import TellFulfilmentNews
from marketplace.application.notifications.orders import TellOrderNews
from marketplace.application.notifications.payouts import TellPayoutNews
from marketplace.application.orders import PlaceOrder, QuoteOrder
from marketplace.application.outbox import PurgeOutbox, RelayEvents, ReplayDeadLetters
from marketplace.application.payments.alarms import RaiseAlarm
from marketplace.application.payments.cancelling import CancelOrder
from marketplace.application.payments.checking import CheckPayments, PaymentCheck
from marketplace.application.payments.deciding import RefundOrder
from marketplace.application.payments.paying import PayOrder
from marketplace.application.payments.refunding import RefundCheck, SendRefunds
from marketplace.application.payments.settlement import Settlement
from marketplace.application.payments.starting import ReadClientSecret, StartPayment
from marketplace.application.payout_accounts import AccountCheck, CheckPayoutAccounts, StartOnboarding
from marketplace.application.reservations import (
    AddToCart,
    ChangeCartItem,
    EmptyCart,
    RemoveFromCart,
    ShowCart,
    SweepReservations,
)
from marketplace.application.sellers import applying, deciding
from marketplace.application.subscribers import Subscribers
from marketplace.domain.reservations import HoldPolicy
from marketplace.entrypoints.container.after_sales import AfterSales
from marketplace.entrypoints.container.backends import MemoryBackend, PostgresBackend
from marketplace.entrypoints.container.cards import Cards
from marketplace.entrypoints.container.catalogue import Catalogue
from marketplace.entrypoints.container.documents import Documents
from marketplace.entrypoints.container.fees import Fees
from marketplace.entrypoints.container.fulfilment import Fulfilment
from marketplace.entrypoints.container.ledger import LedgerParts
from marketplace.entrypoints.container.members import Members
from marketplace.entrypoints.container.notifications import Notifications
from marketplace.entrypoints.container.passwords import Passwords
from marketplace.entrypoints.container.payment_provider import DELIVER_SIMULATED_EVENTS, PaymentProvider, jobs_with
from marketplace.entrypoints.container.payouts import Payouts
from marketplace.entrypoints.container.personal_data import PersonalData
from marketplace.entrypoints.container.rate_limits import RateLimiting
from marketplace.entrypoints.container.second_factors import SecondFactors
from marketplace.entrypoints.container.webhooks import Webhooks
from marketplace.entrypoints.keys import Purpose
from marketplace.entrypoints.settings import Settings


class Container(containers.DeclarativeContainer):
    """Use cases and outside services. ``Container(settings=..., backend=MemoryBackend(), clock=...)`` in tests."""

    settings = providers.Dependency(instance_of=Settings)
    backend = providers.DependenciesContainer()

    # --- kernel
    clock = providers.Singleton(SystemClock)
    unit_of_work = backend.unit_of_work.provider
    purge_idempotency_keys = providers.Singleton(PurgeIdempotencyKeys, keys=backend.idempotency_keys, clock=clock)

    # --- identity
    # Who is behind a session, for every door: (account id, session id) -> Actor | None.
    actor_lookup = providers.Singleton(
        FindActor, queries=backend.identity_queries, staff_need_second_factor=settings.provided.require_staff_2fa
    )
    secrets = providers.Singleton(KeyedSecrets, settings.provided.key.call(Purpose.IDENTITY_DIGESTS))
    session_opener = providers.Singleton(
        sessions.SessionOpener, ids=backend.ids, secrets=secrets, lifetime=settings.provided.jwt_refresh_token_lifetime
    )
    attempt_guard = providers.Singleton(attempts.AttemptGuard, unit_of_work=unit_of_work, clock=clock, secrets=secrets)
    second_factors = providers.Container(
        SecondFactors, settings=settings, backend=backend, clock=clock, secrets=secrets, guard=attempt_guard
    )
    passwords = providers.Container(
        Passwords,
        settings=settings,
        backend=backend,
        clock=clock,
        secrets=secrets,
        guard=attempt_guard,
        owner=second_factors.owner,
    )
    rate_limiting = providers.Container(RateLimiting, settings=settings, clock=clock)
    purge_attempts = providers.Singleton(attempts.PurgeAttempts, unit_of_work=unit_of_work, clock=clock)
    register = providers.Singleton(
        registration.Register,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        hasher=backend.password_hasher,
        sessions=session_opener,
        guard=attempt_guard,
        terms_version=settings.provided.terms_version,
    )
    resend_verification = providers.Singleton(
        registration.ResendVerification, unit_of_work=unit_of_work, clock=clock, ids=backend.ids
    )
    issue_verification_code = providers.Singleton(
        registration.IssueVerificationCode, unit_of_work=unit_of_work, clock=clock, secrets=secrets
    )
    verify_email = providers.Singleton(
        registration.VerifyEmail, unit_of_work=unit_of_work, clock=clock, secrets=secrets, guard=attempt_guard
    )
    log_in = providers.Singleton(
        sessions.LogIn,
        unit_of_work=unit_of_work,
        clock=clock,
        hasher=backend.password_hasher,
        sessions=session_opener,
        guard=attempt_guard,
        second_factor=second_factors.codes,
    )
    refresh_session = providers.Singleton(
        sessions.RefreshSession,
        unit_of_work=unit_of_work,
        clock=clock,
        secrets=secrets,
        lifetime=settings.provided.jwt_refresh_token_lifetime,
    )
    log_out = providers.Singleton(sessions.LogOut, unit_of_work=unit_of_work, clock=clock, secrets=secrets)
    purge_sessions = providers.Singleton(sessions.PurgeSessions, unit_of_work=unit_of_work, clock=clock)
    members = providers.Container(
        Members, settings=settings, backend=backend, clock=clock, secrets=secrets, owner=second_factors.owner
    )
    personal_data = providers.Container(
        PersonalData, backend=backend, clock=clock, secrets=secrets, guard=attempt_guard, owner=second_factors.owner
    )
    create_account = providers.Singleton(
        administration.CreateAccount,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        hasher=backend.password_hasher,
    )
    grant_role = providers.Singleton(administration.GrantRole, unit_of_work=unit_of_work, clock=clock)
    revoke_role = providers.Singleton(administration.RevokeRole, unit_of_work=unit_of_work, clock=clock)
    suspend_account = providers.Singleton(administration.SuspendAccount, unit_of_work=unit_of_work, clock=clock)
    change_access = providers.Singleton(administration.ChangeAccess, unit_of_work=unit_of_work, clock=clock)
    reinstate_account = providers.Singleton(administration.ReinstateAccount, unit_of_work=unit_of_work, clock=clock)

    # --- catalogue
    catalogue = providers.Container(Catalogue, backend=backend, clock=clock)

    # --- listings
    create_listing = providers.Singleton(
        CreateListing,
        unit_of_work=backend.unit_of_work.provider,
        ids=backend.ids,
        clock=clock,
        currency=settings.provided.currency,
    )
    update_listing = providers.Singleton(
        UpdateListing, unit_of_work=backend.unit_of_work.provider, clock=clock, currency=settings.provided.currency
    )
    archive_listing = providers.Singleton(ArchiveListing, unit_of_work=backend.unit_of_work.provider, clock=clock)
    import_listings = providers.Singleton(
        ImportListings,
        unit_of_work=backend.unit_of_work.provider,
        ids=backend.ids,
        clock=clock,
        currency=settings.provided.currency,
    )
    export_listings = providers.Singleton(
        ExportListings, queries=backend.listing_queries, currency=settings.provided.currency
    )

    # --- sellers
    apply_to_sell = providers.Singleton(applying.ApplyToSell, unit_of_work=unit_of_work, clock=clock)
    update_shop = providers.Singleton(applying.UpdateShop, unit_of_work=unit_of_work, clock=clock)
    open_seller_profile = providers.Singleton(applying.OpenSellerProfile, unit_of_work=unit_of_work, clock=clock)
    follow_seller_email = providers.Singleton(applying.FollowSellerEmail, unit_of_work=unit_of_work)
    approve_seller = providers.Singleton(deciding.ApproveSeller, unit_of_work=unit_of_work, clock=clock)
    reject_seller = providers.Singleton(deciding.RejectSeller, unit_of_work=unit_of_work, clock=clock)
    suspend_seller = providers.Singleton(deciding.SuspendSeller, unit_of_work=unit_of_work, clock=clock)
    reinstate_seller = providers.Singleton(deciding.ReinstateSeller, unit_of_work=unit_of_work, clock=clock)
    verify_seller_identity = providers.Singleton(deciding.VerifySellerIdentity, unit_of_work=unit_of_work, clock=clock)
    vouch_for_seller = providers.Singleton(deciding.VouchForSeller, unit_of_work=unit_of_work, clock=clock)

    # --- reservations
    hold_policy = providers.Singleton(
        HoldPolicy, hold_for=settings.provided.cart_reservation, max_hold=settings.provided.cart_max_hold
    )
    fees = providers.Container(Fees, settings=settings, backend=backend, clock=clock)
    add_to_cart = providers.Singleton(
        AddToCart,
        claims=backend.claims,
        unit_of_work=unit_of_work,
        queries=backend.reservation_queries,
        ids=backend.ids,
        clock=clock,
        policy=hold_policy,
    )
    change_cart_item = providers.Singleton(ChangeCartItem, claims=backend.claims, clock=clock, policy=hold_policy)
    remove_from_cart = providers.Singleton(RemoveFromCart, unit_of_work=backend.unit_of_work.provider, clock=clock)
    empty_cart = providers.Singleton(EmptyCart, unit_of_work=backend.unit_of_work.provider, clock=clock)
    show_cart = providers.Singleton(
        ShowCart, queries=backend.reservation_queries, clock=clock, fees=fees.in_force, policy=hold_policy
    )
    sweep_reservations = providers.Singleton(
        SweepReservations, unit_of_work=backend.unit_of_work.provider, clock=clock, policy=hold_policy
    )

    # --- orders
    quote_order = providers.Singleton(
        QuoteOrder, queries=backend.reservation_queries, clock=clock, fees=fees.in_force, policy=hold_policy
    )
    # --- payments
    payment_provider = providers.Container(PaymentProvider, settings=settings, backend=backend, clock=clock)
    payment_gateway = payment_provider.gateway
    place_order = providers.Singleton(
        PlaceOrder,
        unit_of_work=backend.unit_of_work.provider,
        ids=backend.ids,
        clock=clock,
        schedule=fees.standard,
        policy=hold_policy,
        payment_window=settings.provided.payment_window,
        provider=payment_gateway.provided.name,
    )
    settlement = providers.Singleton(
        Settlement,
        unit_of_work=unit_of_work,
        clock=clock,
        ids=backend.ids,
        livemode=payment_gateway.provided.livemode,
    )
    check_payment = providers.Singleton(
        PaymentCheck, unit_of_work=unit_of_work, gateway=payment_gateway, clock=clock, settlement=settlement
    )
    check_refund = providers.Singleton(RefundCheck, unit_of_work=unit_of_work, gateway=payment_gateway, clock=clock)
    start_payment = providers.Singleton(StartPayment, unit_of_work=unit_of_work, check=check_payment)
    read_client_secret = providers.Singleton(ReadClientSecret, unit_of_work=unit_of_work, gateway=payment_gateway)
    cards = providers.Container(Cards, backend=backend, clock=clock, gateway=payment_gateway)
    pay_order = providers.Singleton(
        PayOrder,
        unit_of_work=unit_of_work,
        gateway=payment_gateway,
        clock=clock,
        check=check_payment,
        owner=cards.owner,
        return_url=providers.Callable("{}/payments/return/?order={{order_id}}".format, settings.provided.public_url),
    )
    cancel_order = providers.Singleton(CancelOrder, unit_of_work=unit_of_work, clock=clock, check=check_payment)
    fulfilment = providers.Container(Fulfilment, settings=settings, backend=backend, clock=clock)
    payouts = providers.Container(Payouts, settings=settings, backend=backend, clock=clock, gateway=payment_gateway)
    refund_order = providers.Singleton(RefundOrder, unit_of_work=unit_of_work, clock=clock, ids=backend.ids)
    after_sales = providers.Container(
        AfterSales, settings=settings, backend=backend, clock=clock, gateway=payment_gateway
    )
    check_payout_account = providers.Singleton(
        AccountCheck, unit_of_work=unit_of_work, gateway=payment_gateway, clock=clock
    )
    check_payout_accounts = providers.Singleton(CheckPayoutAccounts, check=check_payout_account)
    start_onboarding = providers.Singleton(
        StartOnboarding,
        unit_of_work=unit_of_work,
        gateway=payment_gateway,
        clock=clock,
        return_url=providers.Callable("{}/sellers/onboarding/return/".format, settings.provided.public_url),
        refresh_url=providers.Callable("{}/sellers/onboarding/expired/".format, settings.provided.public_url),
    )
    ledger = providers.Container(LedgerParts, backend=backend, clock=clock, gateway=payment_gateway)
    verify_ledger = ledger.verify
    webhooks = providers.Container(
        Webhooks,
        backend=backend,
        clock=clock,
        gateway=payment_gateway,
        courier=payment_provider.simulated,
        check_payment=check_payment,
        check_refund=check_refund,
        check_account=check_payout_account,
        check_chargeback=after_sales.check_chargeback,
        check_transfer=payouts.check_transfer,
        check_platform_payout=ledger.check_platform_payout,
        check_card=cards.check,
    )
    check_payments = providers.Singleton(CheckPayments, check=check_payment)
    send_refunds = providers.Singleton(SendRefunds, check=check_refund)
    raise_alarm = providers.Singleton(RaiseAlarm)

    # --- notifications
    notifications = providers.Container(
        Notifications,
        settings=settings,
        backend=backend,
        clock=clock,
        secrets=secrets,
    )
    tell_order_news = providers.Singleton(
        TellOrderNews, unit_of_work=unit_of_work, order_queries=backend.order_queries, notify=notifications.notify
    )
    documents = providers.Container(Documents, settings=settings, backend=backend, clock=clock)
    subscribers = providers.Singleton(
        Subscribers,
        issue_verification_code=issue_verification_code,
        issue_reset_code=passwords.issue_reset_code,
        issue_email_change_code=members.issue_email_change_code,
        finish_erasure=personal_data.finish_erasure,
        forget_customer=cards.forget,
        note_lock=providers.Singleton(attempts.NoteLock, unit_of_work=unit_of_work),
        notify=notifications.notify,
        open_seller_profile=open_seller_profile,
        follow_seller_email=follow_seller_email,
        issue_documents=documents.issue,
        tell_order_news=tell_order_news,
        tell_payout_news=providers.Singleton(TellPayoutNews, unit_of_work=unit_of_work, notify=notifications.notify),
        tell_dispute_news=providers.Singleton(TellDisputeNews, unit_of_work=unit_of_work, notify=notifications.notify),
        try_blocked_payouts=payouts.try_blocked,
        tell_fulfilment_news=providers.Singleton(
            TellFulfilmentNews, unit_of_work=unit_of_work, notify=notifications.notify
        ),
        raise_alarm=raise_alarm,
    )
    relay_events = providers.Singleton(
        RelayEvents, outbox=backend.outbox, clock=clock, handle=subscribers, jitter=providers.Object(random.random)
    )
    replay_dead_letters = providers.Singleton(
        ReplayDeadLetters, unit_of_work=unit_of_work, outbox=backend.outbox, clock=clock
    )
    purge_outbox = providers.Singleton(PurgeOutbox, outbox=backend.outbox, clock=clock)

    # --- worker: every job by its name; a job does what is due and returns how much it did
    all_jobs = providers.Dict(
        {
            "sweep reservations": sweep_reservations,
            "reconcile ledger": ledger.reconcile_when_due,
            "relay events": relay_events,
            "purge outbox": purge_outbox,
            "purge idempotency keys": purge_idempotency_keys,
            "purge sessions": purge_sessions,
            "purge notifications": notifications.purge,
            "purge attempts": purge_attempts,
            "purge codes": passwords.purge_codes,
            DELIVER_SIMULATED_EVENTS: webhooks.deliver_simulated,
            "process webhooks": webhooks.process,
            "check payments": check_payments,
            "send refunds": send_refunds,
            "check chargebacks": after_sales.check_chargebacks,
            "follow suspensions": payouts.follow_suspensions,
            "send payouts": payouts.send,
            "send recoveries": payouts.recover,
            "watch kept money": payouts.watch_kept_money,
            "complete sales": fulfilment.complete_sales,
            "check payout accounts": check_payout_accounts,
            "purge webhooks": webhooks.purge,
            "sweep events": webhooks.sweep,
        }
    )
    jobs = providers.Callable(jobs_with, settings, all_jobs)


def build_container(settings: Settings) -> Container:
    """The container that every process uses: on the PostgreSQL that ``settings.database_url`` names."""
    return Container(settings=settings, backend=PostgresBackend(url=settings.database_url, settings=settings))


def build_memory_container(settings: Settings) -> Container:
    """The same with everything in this process, for what needs no data."""
    return Container(settings=settings, backend=MemoryBackend())
