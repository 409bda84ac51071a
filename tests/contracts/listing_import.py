"""What importing a stock file does on every backend."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.adapters.memory.clock import FixedClock
from marketplace.application.access import OPERATOR
from marketplace.application.catalogue.import_catalogue import ImportCatalogue
from marketplace.application.listings import import_listings
from marketplace.application.listings.export_listings import ExportListings
from marketplace.application.listings.import_listings import ImportListings, Outcome
from marketplace.application.listings.stock_file import WrongStockFile
from marketplace.application.ports.catalogue import CatalogueImport
from marketplace.application.ports.listings import ListingFilters
from marketplace.application.ports.pages import PageRequest
from marketplace.domain.listings import ListingSource, ListingStatus
from marketplace.domain.shared.errors import Forbidden, NotFound
from tests.builders import NOW, an_actor, store_account, store_listing, store_seller
from tests.catalogue_files import excerpt
from tests.contracts.listings import change, claim, get
from tests.stock_files import changed, excerpt_key, stock_excerpt, stock_file

CHARIZARD = "pokemon,Charizard,BS,4,en,NM,holo,N,,2,199.90,"


def import_excerpt(catalogue: CatalogueImport) -> None:
    ImportCatalogue(clock=FixedClock(), catalogue=catalogue)(sets=excerpt("sets"), cards=excerpt("cards"))


class ListingImportContract:
    """Subclasses provide ``unit_of_work``, ``queries`` and ``ids``, on a store with the excerpt of the catalogue."""

    @pytest.fixture
    def clock(self):
        return FixedClock()

    @pytest.fixture
    def seller(self, unit_of_work):
        return store_seller(unit_of_work)

    @pytest.fixture
    def run(self, unit_of_work, ids, clock, seller):
        importing = ImportListings(unit_of_work=unit_of_work, ids=ids, clock=clock, currency="EUR")
        return lambda data, **options: importing(**{"actor": OPERATOR, "seller_id": seller, "data": data, **options})

    @pytest.fixture
    def export(self, queries, seller):
        exporting = ExportListings(queries=queries, currency="EUR")
        return lambda **options: exporting(actor=OPERATOR, seller_id=seller, **options)

    @pytest.fixture
    def offers(self, queries, clock, seller):
        """Everything that the seller offers now, by listing."""

        def read():
            request, found = PageRequest(size=100), {}
            while True:
                page = queries.listings(ListingFilters(seller_id=seller, hidden=True), request, now=clock.now())
                found.update({view.id: view for view in page.items})
                if page.next is None:
                    return found
                request = PageRequest(size=100, after=page.next)

        return read

    @pytest.fixture
    def only(self, offers):
        def read():
            (view,) = offers().values()
            return view

        return read

    # --- a real file

    def test_makes_of_every_row_what_it_says(self, run, offers):
        report = run(stock_excerpt())
        assert report.counts == {"created": 77, "updated": 0, "unchanged": 0, "refused": 0}
        views = offers()
        made = {row.row: views[row.listing_id] for row in report.rows}
        key = {row: (view.product.external_id, view.stock, view.price) for row, view in made.items()}
        assert key == excerpt_key()
        assert len(views) == 77

    def test_changes_nothing_when_it_is_repeated(self, run, offers, clock):
        run(stock_excerpt())
        before = offers()
        clock.advance(timedelta(hours=1))
        report = run(stock_excerpt())
        assert report.counts == {"created": 0, "updated": 0, "unchanged": 77, "refused": 0}
        assert offers() == before

    def test_takes_back_what_it_exported(self, run, offers, export, clock):
        run(stock_excerpt())
        before = offers()
        clock.advance(timedelta(hours=1))
        file = export()
        assert (file.rows, file.left_out) == (77, 0)
        assert run(file.text.encode()).counts["unchanged"] == 77
        assert offers() == before
        assert export() == file

    def test_exports_what_it_imported(self, run, export):
        run(stock_excerpt())
        # The order differs where the file offers one card in several prints.
        assert sorted(export().text.splitlines()) == sorted(stock_excerpt().decode().splitlines())

    def test_goes_batch_by_batch(self, run, offers, monkeypatch):
        monkeypatch.setattr(import_listings, "BATCH", 10)
        heard = []
        report = run(stock_excerpt(), progress=lambda done, total: heard.append((done, total)))
        assert [row.row for row in report.rows] == list(range(1, 78))
        assert heard == [(done, 77) for done in (0, 10, 20, 30, 40, 50, 60, 70, 77)]

    # --- one row

    def test_reads_a_row(self, run, only):
        run(stock_file("pokemon,Dracaufeu,bs,4,FR,ex,Holo,Y,,3,250.00,Léger blanchiment"))
        view = only()
        assert view.product.external_id == "base1-4"
        assert (view.variant.language.code, view.variant.condition.code) == ("fr", "EX")
        assert (view.variant.version.code, view.variant.grade) == ("holo-first-edition", None)
        assert (view.stock, view.price, view.description) == (3, 25_000, "Léger blanchiment")
        assert view.status is ListingStatus.ACTIVE

    def test_sells_a_graded_card_by_its_grade_and_tells_its_condition(self, run, only):
        run(stock_file("pokemon,Charizard,BS,4,en,NM,holo,N,PSA 9,1,999.00,Slabbed"))
        view = only()
        assert (view.variant.condition.code, view.variant.grade.code) == ("GRADED", "PSA 9")
        assert view.description == "Condition NM. Slabbed"

    def test_takes_a_card_that_is_not_there_at_present(self, run, only):
        run(stock_file("pokemon,Charizard,BS,4,en,NM,holo,N,,0,199.90,"))
        assert (only().status, only().stock) == (ListingStatus.SOLD_OUT, 0)

    def test_follows_the_file(self, run, only, clock):
        (created,) = run(stock_file(CHARIZARD)).rows
        clock.advance(timedelta(hours=1))
        (updated,) = run(stock_file("pokemon,Charizard,BS,4,en,NM,holo,N,,5,149.00,Now cheaper")).rows
        assert (updated.outcome, updated.listing_id) == (Outcome.UPDATED, created.listing_id)
        view = only()
        assert (view.stock, view.price, view.description) == (5, 14_900, "Now cheaper")
        assert (view.version, view.updated_at, view.created_at) == (2, clock.now(), NOW)

    def test_follows_no_listing_that_was_made_by_hand(self, run, unit_of_work, offers, seller):
        run(stock_file(CHARIZARD))
        (imported,) = offers().values()
        variant = (imported.product.id, imported.variant.id)
        by_hand = store_listing(unit_of_work, seller, variant)
        assert run(stock_file("pokemon,Charizard,BS,4,en,NM,holo,N,,9,1.00,")).counts["updated"] == 1
        assert get(unit_of_work, by_hand.id) == by_hand
        assert get(unit_of_work, imported.id).stock == 9

    def test_makes_a_new_listing_after_the_old_one_was_archived(self, run, unit_of_work):
        (first,) = run(stock_file(CHARIZARD)).rows
        change(unit_of_work, first.listing_id, lambda each: each.archive(now=NOW))
        (second,) = run(stock_file(CHARIZARD)).rows
        assert second.outcome is Outcome.CREATED
        assert second.listing_id != first.listing_id

    def test_restocks_what_was_switched_off_without_switching_it_on(self, run, unit_of_work, only):
        (made,) = run(stock_file(CHARIZARD)).rows
        change(unit_of_work, made.listing_id, lambda each: each.switch_off(now=NOW))
        run(changed(stock_file(CHARIZARD), 1, Quantity="7"))
        assert (only().stock, only().status) == (7, ListingStatus.INACTIVE)

    def test_revives_what_sold_out(self, run, only):
        run(changed(stock_file(CHARIZARD), 1, Quantity="0"))
        run(stock_file(CHARIZARD))
        assert (only().stock, only().status) == (2, ListingStatus.ACTIVE)

    def test_never_takes_stock_from_under_a_claim_but_does_the_rest_of_the_file(self, run, unit_of_work, clock):
        (made,) = run(stock_file(CHARIZARD)).rows
        claim(unit_of_work, get(unit_of_work, made.listing_id), 2)
        fewer = changed(stock_file(CHARIZARD, "pokemon,Vulpix,BS,68,en,NM,normal,N,,1,1.00,"), 1, Quantity="1")
        refused, created = run(fewer).rows
        assert (refused.outcome, refused.listing_id, created.outcome) == (
            Outcome.REFUSED,
            made.listing_id,
            Outcome.CREATED,
        )
        assert "2 of this listing are claimed" in refused.reason
        assert get(unit_of_work, made.listing_id).stock == 2
        clock.advance(timedelta(minutes=30))
        assert run(fewer).counts == {"created": 0, "updated": 1, "unchanged": 1, "refused": 0}

    # --- what is refused

    @pytest.mark.parametrize(
        ("row", "told"),
        [
            ("pokemon,Charizard,BS,4000,en,NM,holo,N,,1,1.00,", "no pokemon card '4000' in the set 'BS'"),
            ("pokemon,Charizard,XX,4,en,NM,holo,N,,1,1.00,", "in the set 'XX'"),
            ("pokemon,Charizard,BS,4,ja,NM,holo,N,,1,1.00,", "(region jp)"),
            ("digimon,Charizard,BS,4,en,NM,holo,N,,1,1.00,", "no digimon card"),
            ("pokemon,Charizard,BS,4,xx,NM,holo,N,,1,1.00,", "no language 'xx'"),
            ("pokemon,Charizard,BS,4,en,SO,holo,N,,1,1.00,", "no condition 'SO'"),
            ("pokemon,Charizard,BS,4,en,,holo,N,,1,1.00,", "no condition ''"),
            ("pokemon,Charizard,BS,4,en,NM,shiny,N,,1,1.00,", "no version 'shiny'"),
            ("pokemon,Charizard,BS,4,en,NM,not a finish,N,,1,1.00,", "finish"),
            ("pokemon,Charizard,BS,4,en,NM,holo,N,PSA 11,1,1.00,", "no grade 'PSA 11'"),
            ("pokemon,Charizard,BS,4,en,SO,holo,N,PSA 10,1,1.00,", "no condition 'SO'"),
            ("pokemon,Charizard,BS,4,en,GRADED,holo,N,,1,1.00,", "requires a grade"),
            ("pokemon,Charizard,BS,4,en,NM,holo,N,,1000001,1.00,", "stock"),
            ("pokemon,Charizard,BS,4,en,NM,holo,N,,1,0.00,", "price"),
            ("pokemon,Charizard,BS,4,en,NM,holo,N,,1,1.00,=1+1", "formula"),
            (f"pokemon,Charizard,BS,4,en,NM,holo,N,,1,1.00,{'x' * 2001}", "2001 characters"),
            ("pokemon,Charizard", "2 cells instead of 12"),
        ],
    )
    def test_tells_why_it_refused_a_row_and_takes_the_rest(self, run, row, told):
        first, second, third = run(stock_file(CHARIZARD, row, "pokemon,Vulpix,BS,68,en,NM,normal,N,,1,1.00,")).rows
        assert (first.outcome, third.outcome) == (Outcome.CREATED, Outcome.CREATED)
        assert (second.row, second.outcome, second.listing_id) == (2, Outcome.REFUSED, None)
        assert told in second.reason

    def test_refuses_an_archived_product(self, run, unit_of_work, only):
        run(stock_file(CHARIZARD))
        with unit_of_work() as uow:
            product = uow.products.get(only().product.id)
            product.archive(now=NOW)
            uow.products.save(product)
            uow.commit()
        assert run(stock_file(CHARIZARD)).counts["refused"] == 1

    def test_takes_the_first_of_two_rows_that_offer_the_same(self, run, only, monkeypatch):
        again = "Pokemon,Dracaufeu,bs,4,EN,nm,Holo,n,,7,1.00,"
        for batch in (1, 1_000):
            monkeypatch.setattr(import_listings, "BATCH", batch)
            _, second = run(stock_file(CHARIZARD, again)).rows
            assert second.outcome is Outcome.REFUSED
            assert "the same as row 1" in second.reason
            assert only().stock == 2

    def test_refuses_another_header_as_a_whole(self, run, offers):
        with pytest.raises(WrongStockFile):
            run(stock_excerpt().replace(b"Price EUR", b"Price USD"))
        assert offers() == {}

    @pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
    def test_takes_what_windows_writes(self, run, start):
        data = start + stock_excerpt().replace(b"\n", b"\r\n")
        assert run(data).counts["created"] == 77

    # --- who may

    def test_is_for_the_seller_and_administrators(self, run, unit_of_work, seller):
        assert run(stock_file(CHARIZARD), actor=an_actor(seller)).counts["created"] == 1
        with pytest.raises(NotFound):
            run(stock_file(CHARIZARD), actor=an_actor(store_account(unit_of_work)))

    def test_needs_a_seller_who_may_sell(self, run, unit_of_work):
        with pytest.raises(Forbidden):
            run(stock_file(CHARIZARD), seller_id=store_account(unit_of_work))

    # --- what is exported

    def test_leaves_out_what_was_made_by_hand_unless_asked(self, run, export, unit_of_work, only, seller):
        run(stock_file(CHARIZARD))
        store_listing(unit_of_work, seller, (only().product.id, only().variant.id))
        assert (export().rows, export().left_out) == (1, 1)
        everything = export(by_hand_too=True)
        assert (everything.rows, everything.left_out) == (2, 0)

    def test_exports_for_the_seller_and_administrators(self, queries, unit_of_work, seller):
        exporting = ExportListings(queries=queries, currency="EUR")
        assert exporting(actor=an_actor(seller), seller_id=seller).rows == 0
        with pytest.raises(NotFound):
            exporting(actor=an_actor(store_account(unit_of_work)), seller_id=seller)


# Rows of a small shop: few cards and prints, so that the same ones come again.
stock_cells = st.tuples(
    st.sampled_from(["4", "68", "58"]),
    st.sampled_from(["en", "fr"]),
    st.sampled_from(["NM", "PO"]),
    st.sampled_from(["", "PSA 9"]),
    st.integers(0, 3),
    st.integers(1, 3),
)


def as_row(cells):
    number, language, condition, grade, quantity, euros = cells
    return f"pokemon,Any,BS,{number},{language},{condition},normal,N,{grade},{quantity},{euros}.00,"


class AnyStockContract(ListingImportContract):
    """The same, for files that nobody thought of. Subclassed where it is quick."""

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
    @given(files=st.lists(st.lists(stock_cells, max_size=8), min_size=1, max_size=4))
    def test_the_shop_is_what_the_files_say(self, run, unit_of_work, offers, files):
        for listing_id in offers():
            change(unit_of_work, listing_id, lambda each: each.archive(now=NOW))
        shop = {}
        for file in files:
            data = stock_file(*(as_row(cells) for cells in file))
            report = run(data)
            said = {}
            for cells in file:
                number, language, condition, grade, quantity, price = cells
                said.setdefault((number, language, grade or condition), (quantity, price * 100))
            shop |= said
            assert report.counts["refused"] == len(file) - len(said)
            assert run(data).counts["unchanged"] == len(said)
        kept = {
            (
                view.product.external_id.removeprefix("base1-"),
                view.variant.language.code,
                view.variant.grade.code if view.variant.grade else view.variant.condition.code,
            ): (view.stock, view.price)
            for view in offers().values()
            if view.status is not ListingStatus.ARCHIVED
        }
        assert kept == shop
        with unit_of_work() as uow:
            assert all(
                uow.listings.get(id).source is ListingSource.IMPORT
                for id, view in offers().items()
                if view.status is not ListingStatus.ARCHIVED
            )
