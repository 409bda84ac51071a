"""The ledger, append-only and balanced."""

from __future__ import annotations

from alembic import op

revision = "0008_ledger"
down_revision = "0007_payments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table journals (
            id bigint generated always as identity,
            kind text not null,
            source_key text not null,
            currency text not null,
            occurred_at timestamptz not null,
            order_id bigint,
            line_count integer not null,
            constraint journals_pkey primary key (id),
            constraint one_journal_a_fact unique (kind, source_key),
            constraint journal_has_lines check (line_count >= 2)
        );
        create index journals_order_idx on journals (order_id, id) where order_id is not null;
        create index journals_kind_idx on journals (kind, id);
        create table journal_lines (
            journal_id bigint not null,
            position integer not null,
            account text collate "C" not null,
            amount bigint not null,
            constraint journal_lines_pkey primary key (journal_id, position),
            constraint journal_lines_journal_id_fkey foreign key (journal_id) references journals (id),
            constraint line_moves_something check (amount <> 0),
            constraint line_position_from_one check (position >= 1)
        );
        create index journal_lines_account_idx on journal_lines (account, journal_id);
        """
    )
    # Permissions could not keep these promises: the owner of a table passes them all.
    op.execute(
        """
        create function refuse_to_change_the_ledger() returns trigger language plpgsql as $$
        begin
            raise exception 'The ledger is append-only: % on % is refused. Post a correcting journal.',
                tg_op, tg_table_name using errcode = 'integrity_constraint_violation';
        end $$;

        create trigger journals_are_append_only before update or delete or truncate on journals
            for each statement execute function refuse_to_change_the_ledger();
        create trigger journal_lines_are_append_only before update or delete or truncate on journal_lines
            for each statement execute function refuse_to_change_the_ledger();

        create function refuse_lines_of_a_whole_journal() returns trigger language plpgsql as $$
        begin
            if exists (
                select from added join journals on journals.id = added.journal_id
                where added.position > journals.line_count
            ) then
                raise exception 'A journal has exactly the lines that it was posted with.'
                    using errcode = 'check_violation', constraint = 'journal_is_whole';
            end if;
            return null;
        end $$;

        create trigger journal_lines_complete_once after insert on journal_lines
            referencing new table as added
            for each statement execute function refuse_lines_of_a_whole_journal();

        create function check_that_a_journal_balances() returns trigger language plpgsql as $$
        declare
            lines bigint;
            over numeric;
        begin
            select count(*), coalesce(sum(amount), 0) into lines, over
            from journal_lines where journal_id = new.id;
            if lines <> new.line_count or over <> 0 then
                raise exception 'Journal % does not balance: % of % lines, % too much in debit.',
                    new.id, lines, new.line_count, over
                    using errcode = 'check_violation', constraint = 'journal_balances';
            end if;
            return null;
        end $$;

        create constraint trigger journal_balances after insert on journals
            deferrable initially deferred
            for each row execute function check_that_a_journal_balances();
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table journal_lines;
        drop table journals;
        drop function check_that_a_journal_balances();
        drop function refuse_lines_of_a_whole_journal();
        drop function refuse_to_change_the_ledger();
        """
    )
