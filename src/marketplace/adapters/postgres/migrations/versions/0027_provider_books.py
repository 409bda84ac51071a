"""The provider's movements beside our journals, and the differences between the two; journals listed by time."""

from __future__ import annotations

from alembic import op

revision = "0027_provider_books"
down_revision = "0026_payouts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        drop index journals_kind_idx;
        create index journals_kind_idx on journals (kind, occurred_at, id);
        create index journals_newest_idx on journals (occurred_at, id);
        create table provider_movements (
            id text collate "C" not null,
            type text not null,
            reporting_category text not null,
            source text not null,
            amount bigint not null,
            fee bigint not null,
            net bigint not null,
            currency text not null,
            created_at timestamptz not null,
            available_at timestamptz not null,
            settled boolean not null default false,
            constraint provider_movements_pkey primary key (id)
        );
        create index provider_movements_unsettled_idx on provider_movements (id) where not settled;
        create table movement_journals (
            journal_id bigint not null,
            movement_id text collate "C" not null,
            constraint movement_journals_pkey primary key (journal_id),
            constraint movement_journals_journal_id_fkey foreign key (journal_id) references journals (id),
            constraint movement_journals_movement_id_fkey
                foreign key (movement_id) references provider_movements (id)
        );
        create index movement_journals_movement_idx on movement_journals (movement_id);
        create table ledger_differences (
            id bigint not null,
            kind text not null,
            subject text not null,
            currency text not null,
            ours bigint,
            theirs bigint,
            detail text not null,
            movement_id text collate "C",
            journal_id bigint,
            opened_at timestamptz not null,
            resolution text,
            resolved_at timestamptz,
            resolved_by bigint,
            note text not null default '',
            version integer not null,
            constraint ledger_differences_pkey primary key (id),
            constraint one_difference_a_subject unique (kind, subject),
            constraint known_difference_kind check (
                kind in ('movement_without_journal', 'journal_without_movement', 'amounts_differ', 'balance')
            ),
            constraint known_difference_resolution check (resolution in ('matched', 'explained', 'booked')),
            constraint resolved_differences_say_how check ((resolution is null) = (resolved_at is null))
        );
        create index ledger_differences_newest_idx on ledger_differences (opened_at, id);
        create index ledger_differences_open_idx on ledger_differences (id) where resolved_at is null;
        create table reconciliations (
            id bigint not null,
            status text not null,
            since timestamptz not null,
            started_at timestamptz not null,
            finished_at timestamptz,
            locked_until timestamptz not null,
            next_due_at timestamptz,
            movements_until timestamptz not null,
            journals_until bigint not null,
            seen integer not null,
            matched integer not null,
            booked integer not null,
            opened integer not null,
            closed integer not null,
            balances jsonb not null,
            error text not null default '',
            version integer not null,
            constraint reconciliations_pkey primary key (id),
            constraint known_reconciliation_status check (status in ('running', 'done', 'failed'))
        );
        create index reconciliations_newest_idx on reconciliations (started_at, id);
        create unique index one_reconciliation_at_a_time on reconciliations (status) where status = 'running';
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table reconciliations;
        drop table ledger_differences;
        drop table movement_journals;
        drop table provider_movements;
        drop index journals_newest_idx;
        drop index journals_kind_idx;
        create index journals_kind_idx on journals (kind, id);
        """
    )
