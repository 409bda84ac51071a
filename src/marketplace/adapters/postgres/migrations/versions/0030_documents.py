"""Invoices and credit notes, with their gapless numbers."""

from __future__ import annotations

from alembic import op

revision = "0030_documents"
down_revision = "0029_refused_events"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table documents (
            id bigint not null,
            kind text not null,
            year integer not null,
            sequence integer not null,
            number text not null,
            fact text not null,
            account_id bigint not null,
            order_id bigint not null,
            invoice_id bigint,
            issued_at timestamptz not null,
            content jsonb not null,
            constraint documents_pkey primary key (id),
            constraint documents_account_id_fkey foreign key (account_id) references accounts (id),
            constraint documents_order_id_fkey foreign key (order_id) references orders (id),
            constraint documents_invoice_id_fkey foreign key (invoice_id) references documents (id),
            constraint one_document_a_number unique (kind, year, sequence),
            constraint documents_number_key unique (number),
            constraint one_document_a_fact unique (fact),
            constraint known_document_kind check (
                kind in ('order_invoice', 'credit_note', 'fee_invoice', 'fee_credit_note')
            ),
            constraint documents_count_from_one check (sequence >= 1),
            constraint credit_notes_refer_to_an_invoice check (
                (kind in ('credit_note', 'fee_credit_note')) = (invoice_id is not null)
            )
        );
        create index documents_newest_idx on documents (issued_at, id);
        create index documents_account_idx on documents (account_id, issued_at, id);
        create index documents_order_idx on documents (order_id, issued_at, id);

        create table document_counters (
            kind text not null,
            year integer not null,
            last integer not null,
            last_at timestamptz not null,
            constraint document_counters_pkey primary key (kind, year),
            constraint counters_have_counted check (last >= 1)
        );

        create function refuse_to_change_documents() returns trigger language plpgsql as $$
        begin
            raise exception 'A document that was issued stays: % is refused. Issue a credit note.', tg_op
                using errcode = 'integrity_constraint_violation';
        end $$;
        create trigger documents_are_append_only before update or delete or truncate on documents
            for each statement execute function refuse_to_change_documents();
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table document_counters;
        drop table documents;
        drop function refuse_to_change_documents();
        """
    )
