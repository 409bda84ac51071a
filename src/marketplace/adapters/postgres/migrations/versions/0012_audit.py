"""The audit trail, append-only."""

from __future__ import annotations

from alembic import op

revision = "0012_audit"
down_revision = "0011_expired_reservations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        create table audit_entries (
            id bigint generated always as identity,
            occurred_at timestamptz not null,
            actor_id bigint,
            roles text[] not null,
            action text not null,
            subject_type text not null,
            subject_id text not null,
            origin text not null,
            reason text not null,
            before jsonb not null,
            after jsonb not null,
            constraint audit_entries_pkey primary key (id)
        );
        create index audit_entries_newest_idx on audit_entries (occurred_at, id);
        create index audit_entries_actor_idx on audit_entries (actor_id, occurred_at, id);
        create index audit_entries_subject_idx on audit_entries (subject_type, subject_id, occurred_at, id);
        create index audit_entries_subject_type_idx on audit_entries (subject_type, occurred_at, id);
        create index audit_entries_action_idx on audit_entries (action, occurred_at, id);
        """
    )
    # Permissions could not keep this promise: the owner of a table passes them all.
    op.execute(
        """
        create function refuse_to_change_the_audit_trail() returns trigger language plpgsql as $$
        begin
            raise exception 'The audit trail is append-only: % on % is refused.', tg_op, tg_table_name
                using errcode = 'integrity_constraint_violation';
        end $$;

        create trigger audit_entries_are_append_only before update or delete or truncate on audit_entries
            for each statement execute function refuse_to_change_the_audit_trail();
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop table audit_entries;
        drop function refuse_to_change_the_audit_trail();
        """
    )
