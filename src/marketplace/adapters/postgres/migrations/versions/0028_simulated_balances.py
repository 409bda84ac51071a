"""What the simulated provider holds, for us and for sellers, added up by an index; its events in the order of time."""

from __future__ import annotations

from alembic import op

revision = "0028_simulated_balances"
down_revision = "0027_provider_books"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table simulated_movements (
            id text not null,
            account text not null,
            currency text not null,
            net bigint not null,
            available_at timestamptz not null,
            constraint simulated_movements_pkey primary key (id)
        );
        insert into simulated_movements (id, account, currency, net, available_at)
            select id, '', data ->> 'currency', (data ->> 'net')::bigint,
                to_timestamp((data ->> 'available_on')::bigint)
            from simulated_objects
            where kind = 'balance_transaction';
        create index simulated_movements_sum_idx
            on simulated_movements (account, currency, available_at) include (net);
        create index simulated_objects_newest_idx on simulated_objects (kind, created_at, number);
        drop index simulated_objects_number_idx;
        create index simulated_events_told_idx on simulated_events (created_at, number);
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop index simulated_events_told_idx;
        create index simulated_objects_number_idx on simulated_objects (kind, number);
        drop index simulated_objects_newest_idx;
        drop table simulated_movements;
        """
    )
