"""The catalogue and its reference data."""

from __future__ import annotations

from alembic import op

revision = "0003_catalogue"
down_revision = "0002_identity"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A trusted extension of the server's own distribution: the owner of the database may create it.
    op.execute("create extension if not exists pg_trgm")
    op.execute(
        """
        create table games (
            code text collate "C" not null,
            name text not null,
            constraint games_pkey primary key (code)
        );
        """
    )
    op.execute(
        """
        create table languages (
            id bigint not null,
            code text collate "C" not null,
            name text not null,
            constraint languages_pkey primary key (id),
            constraint one_language_a_code unique (code)
        );
        """
    )
    op.execute(
        """
        create table versions (
            id bigint not null,
            code text collate "C" not null,
            name text not null,
            tcg_types text[] not null default '{}',
            description text not null default '',
            displayable boolean not null default true,
            constraint versions_pkey primary key (id),
            constraint one_version_a_code unique (code)
        );
        """
    )
    op.execute(
        """
        create table conditions (
            id bigint not null,
            code text collate "C" not null,
            label text not null,
            rank integer not null,
            is_graded boolean not null default false,
            constraint conditions_pkey primary key (id),
            constraint one_condition_a_code unique (code)
        );
        """
    )
    op.execute(
        """
        create table grades (
            id bigint not null,
            grader text collate "C" not null,
            value text collate "C" not null,
            constraint grades_pkey primary key (id),
            constraint one_grade_a_value unique (grader, value)
        );
        """
    )
    op.execute(
        """
        create table categories (
            id bigint not null,
            parent_id bigint,
            slug text collate "C" not null,
            name text not null,
            tcg_type text collate "C",
            position integer not null default 0,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            version integer not null,
            constraint categories_pkey primary key (id),
            constraint one_category_a_slug unique (slug),
            constraint category_not_below_itself check (parent_id <> id),
            constraint category_has_children foreign key (parent_id) references categories (id),
            constraint categories_tcg_type_fkey foreign key (tcg_type) references games (code)
        );
        create index categories_parent_id_idx on categories (parent_id);
        """
    )
    op.execute(
        """
        create table card_sets (
            id bigint not null,
            tcg_type text collate "C" not null,
            external_id text collate "C" not null,
            region text collate "C" not null,
            code text collate "C" not null,
            codes jsonb not null default '{}',
            name text collate "C" not null,
            names jsonb not null default '{}',
            series_id text,
            series text,
            block text,
            release_date date,
            card_count_official integer not null default 0,
            attributes jsonb not null default '{}',
            search_text text not null,
            fingerprint bytea,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            version integer not null,
            constraint card_sets_pkey primary key (id),
            constraint card_sets_tcg_type_fkey foreign key (tcg_type) references games (code)
        );
        create index card_sets_release_idx on card_sets (coalesce(release_date, '0001-01-01'::date), id);
        create unique index one_set_a_code on card_sets (tcg_type, region, lower(code));
        create unique index one_set_an_external_id on card_sets (tcg_type, lower(external_id));
        """
    )
    op.execute(
        """
        create table products (
            id bigint not null,
            tcg_type text collate "C" not null,
            external_id text collate "C" not null,
            set_id bigint,
            number text collate "C",
            printed_number text collate "C",
            name text not null,
            names jsonb not null default '{}',
            slug text collate "C" not null,
            series text,
            block text,
            rarity text,
            artist text,
            description text not null default '',
            attributes jsonb not null default '{}',
            allowed_languages text[] not null default '{}',
            allowed_versions text[] not null default '{}',
            status text not null,
            search_text text not null,
            name_key text collate "C" not null,
            number_key text collate "C" not null,
            fingerprint bytea,
            created_at timestamptz not null,
            updated_at timestamptz not null,
            version integer not null,
            constraint products_pkey primary key (id),
            constraint one_product_a_slug unique (slug),
            constraint known_product_status check (status in ('published', 'archived')),
            constraint products_tcg_type_fkey foreign key (tcg_type) references games (code),
            constraint products_set_id_fkey foreign key (set_id) references card_sets (id)
        );
        create unique index one_product_an_external_id on products (tcg_type, lower(external_id));
        create index products_block_idx on products (coalesce(block, series), id) where status = 'published';
        create index products_external_id_idx on products (lower(external_id));
        create index products_name_idx on products (name_key, id) where status = 'published';
        create index products_newest_idx on products (created_at, id) where status = 'published';
        create index products_number_idx on products (number_key, id) where status = 'published';
        create index products_number_text_idx on products (lower(number), id) where status = 'published';
        create index products_printed_number_idx
            on products (lower(printed_number), id) where status = 'published';
        create index products_rarity_idx on products (rarity, id) where status = 'published';
        create index products_search_idx
            on products using gin (search_text gin_trgm_ops) where status = 'published';
        create index products_series_idx on products (series, id) where status = 'published';
        create index products_set_idx on products (set_id, number_key, id);
        create index products_tcg_type_idx on products (tcg_type, id) where status = 'published';
        create index products_updated_idx on products (updated_at, id) where status = 'published';
        """
    )
    op.execute(
        """
        create table product_categories (
            product_id bigint not null,
            category_id bigint not null,
            constraint product_categories_pkey primary key (product_id, category_id),
            constraint product_categories_product_id_fkey foreign key (product_id) references products (id),
            constraint category_has_products foreign key (category_id) references categories (id)
        );
        create index product_categories_category_idx on product_categories (category_id, product_id);
        """
    )
    op.execute(
        """
        create table variants (
            id bigint not null,
            product_id bigint not null,
            language_id bigint not null,
            version_id bigint not null,
            condition_id bigint not null,
            grade_id bigint,
            constraint variants_pkey primary key (id),
            constraint one_variant_a_combination
                unique nulls not distinct (product_id, language_id, version_id, condition_id, grade_id),
            constraint variants_product_id_fkey foreign key (product_id) references products (id),
            constraint variants_language_id_fkey foreign key (language_id) references languages (id),
            constraint variants_version_id_fkey foreign key (version_id) references versions (id),
            constraint variants_condition_id_fkey foreign key (condition_id) references conditions (id),
            constraint variants_grade_id_fkey foreign key (grade_id) references grades (id)
        );
        create index variants_product_idx on variants (product_id, id);
        """
    )
    _insert_reference_data()


def _insert_reference_data() -> None:
    # The first block of identities is taken out of the sequence: what follows has fixed ids up to 100.
    op.execute("select nextval('identities')")
    op.execute(
        """
        insert into games (code, name) values
            ('pokemon', 'Pokémon'), ('yugioh', 'Yu-Gi-Oh!'), ('magic', 'Magic: The Gathering'), ('other', 'Other');
        insert into categories (id, slug, name, tcg_type, position, created_at, updated_at, version) values
            (1, 'pokemon', 'Pokémon', 'pokemon', 1, now(), now(), 1),
            (2, 'yugioh', 'Yu-Gi-Oh!', 'yugioh', 2, now(), now(), 1),
            (3, 'magic', 'Magic: The Gathering', 'magic', 3, now(), now(), 1),
            (4, 'other', 'Other', 'other', 4, now(), now(), 1);
        insert into languages (id, code, name) values
            (1, 'en', 'English'), (2, 'fr', 'Français'), (3, 'de', 'Deutsch'), (4, 'es', 'Español'),
            (5, 'it', 'Italiano'), (6, 'pt', 'Português'), (7, 'ja', '日本語'), (8, 'ko', '한국어'), (9, 'zh', '中文'),
            (10, 'nl', 'Nederlands'), (11, 'ru', 'Русский'), (12, 'pl', 'Polski'), (13, 'cs', 'Čeština'),
            (14, 'sv', 'Svenska'), (15, 'id', 'Bahasa Indonesia'), (16, 'th', 'ไทย');
        insert into versions (id, code, name, tcg_types, description) values
            (1, 'normal', 'Normal', '{magic,other,pokemon,yugioh}', 'Without foil, or the only print of its card.'),
            (2, 'reverse', 'Reverse', '{magic,other,pokemon,yugioh}', 'Foil everywhere but on the picture.'),
            (3, 'holo', 'Holo', '{magic,other,pokemon,yugioh}', 'Foil on the picture.'),
            (4, 'normal-first-edition', 'Normal, first edition', '{magic,other,pokemon,yugioh}',
             'Without foil, with the first-edition stamp.'),
            (5, 'reverse-first-edition', 'Reverse, first edition', '{magic,other,pokemon,yugioh}',
             'Foil everywhere but on the picture, with the first-edition stamp.'),
            (6, 'holo-first-edition', 'Holo, first edition', '{magic,other,pokemon,yugioh}',
             'Foil on the picture, with the first-edition stamp.');
        insert into conditions (id, code, label, rank, is_graded) values
            (1, 'MT', 'Mint', 1, false), (2, 'NM', 'Near mint', 2, false), (3, 'EX', 'Excellent', 3, false),
            (4, 'GD', 'Good', 4, false), (5, 'LP', 'Light played', 5, false), (6, 'PL', 'Played', 6, false),
            (7, 'PO', 'Poor', 7, false), (8, 'GRADED', 'Graded', 8, true);
        """
    )
    halves = [f"{half / 2:g}" for half in range(2, 21)]
    marks = {
        "PSA": [value for value in halves if value != "9.5"],
        "BGS": halves,
        "CGC": halves,
        "PCA": [*(str(value) for value in range(1, 10)), "9.5", "10"],
    }
    pairs = [(grader, value) for grader, values in marks.items() for value in values]
    rows = ", ".join(f"({id}, '{grader}', '{value}')" for id, (grader, value) in enumerate(pairs, 1))
    op.execute(f"insert into grades (id, grader, value) values {rows}")


def downgrade() -> None:
    op.execute(
        """
        drop table variants, product_categories, products, card_sets, categories, grades, conditions, versions,
            languages, games
        """
    )
    op.execute("drop extension pg_trgm")
