"""Companies of professionals, e-mail addresses that wait for their proof, accounts that have accepted no terms yet."""

from __future__ import annotations

from alembic import op

revision = "0015_accounts"
down_revision = "0014_sellers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        alter table accounts
            alter column terms_accepted_at drop not null,
            add column pending_email text not null default '',
            add column pending_email_key text,
            add column pending_email_at timestamptz,
            add column company_name text,
            add column siret_number text,
            add column vat_number text,
            add column company_address jsonb,
            add constraint company_is_whole
                check (num_nonnulls(company_name, siret_number, vat_number, company_address) in (0, 4));
        create index accounts_pending_email_idx on accounts (pending_email_key, pending_email_at)
            where pending_email_key is not null;
        """
    )


def downgrade() -> None:
    op.execute(
        """
        drop index accounts_pending_email_idx;
        -- The older version knows nobody who has accepted no terms.
        update accounts set terms_accepted_at = created_at where terms_accepted_at is null;
        alter table accounts
            alter column terms_accepted_at set not null,
            drop constraint company_is_whole,
            drop column pending_email,
            drop column pending_email_key,
            drop column pending_email_at,
            drop column company_name,
            drop column siret_number,
            drop column vat_number,
            drop column company_address;
        """
    )
