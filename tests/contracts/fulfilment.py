"""What stores promise of parcels, of wishes and of what is due. Subclasses provide the fixture ``desk``."""

from __future__ import annotations

from datetime import timedelta

import pytest

from marketplace.application.access import OPERATOR, Actor
from marketplace.application.ports.pages import PageRequest
from marketplace.application.ports.personal_data import Traces
from marketplace.domain.identity.erasure import ERASED, MatterKind
from marketplace.domain.orders.sale import CancellationRequest
from marketplace.domain.orders.shipment import Shipment
from marketplace.domain.orders.status import SaleStatus
from marketplace.domain.shared.errors import NotFound
from marketplace.domain.shared.ids import SaleId
from tests.desk import AUTO_COMPLETE, COMPLAINT, Desk


class FulfilmentStoreContract:
    def test_gives_back_the_parcel_and_what_became_of_it(self, desk: Desk) -> None:
        deal, now = desk.shipped(), desk.market.clock.now()
        parcel = Shipment(carrier="Colissimo", tracking_number="6A123", shipped_at=now)
        assert (desk.sale(deal).shipment, desk.sale(deal).completes_at) == (parcel, now + AUTO_COMPLETE)
        desk.market.later(days=1)
        desk.ship(deal, "6A 999", carrier="DHL")
        corrected = Shipment(carrier="DHL", tracking_number="6A 999", shipped_at=now, corrections=1)
        assert (desk.sale(deal).shipment, desk.sale(deal).completes_at) == (corrected, now + AUTO_COMPLETE)
        desk.confirm(deal)
        there = desk.sale(deal)
        assert there.shipment == corrected.delivered(now + timedelta(days=1))
        assert there.completes_at == now + timedelta(days=1) + COMPLAINT

    def test_gives_back_the_wish_to_cancel(self, desk: Desk) -> None:
        deal = desk.paid(sellers=2)
        desk.ship(deal)
        desk.ask(deal, reason="bought twice")
        wish = CancellationRequest(requested_at=desk.market.clock.now(), reason="bought twice")
        assert [desk.sale(deal, at).cancellation for at in (0, 1)] == [None, wish]

    def test_shows_parcels_and_wishes_to_buyer_and_seller(self, desk: Desk) -> None:
        deal = desk.paid(sellers=2)
        desk.ask(deal)
        desk.ship(deal)
        desk.confirm(deal)
        queries = desk.market.order_queries
        seen = {sale.id: sale for sale in queries.order(deal.order_id).sales}
        for at in (0, 1):
            sale, view = desk.sale(deal, at), seen[deal.sale_ids[at]]
            assert (view.shipment, view.completes_at, view.cancellation) == (
                sale.shipment,
                sale.completes_at,
                sale.cancellation,
            )
            assert queries.sale(deal.sellers[at].account_id, sale.id) == view
        assert seen[deal.sale_id].shipment is not None
        assert seen[deal.sale_ids[1]].shipment is None

    def test_lists_what_is_to_be_sent(self, desk: Desk) -> None:
        deal = desk.shipped()

        def listed(*statuses: SaleStatus) -> list[int]:
            page = desk.market.order_queries.sales(deal.seller.account_id, PageRequest(), statuses=statuses)
            return [sale.id for sale in page.items]

        assert listed(SaleStatus.AWAITING_SHIPMENT) == []
        assert listed(SaleStatus.SHIPPED) == [deal.sale_id]

    def test_finds_the_order_of_a_sale(self, desk: Desk) -> None:
        deal = desk.paid(sellers=2)
        with desk.market.unit_of_work() as uow:
            assert {uow.orders.of_sale_for_update(sale_id).id for sale_id in deal.sale_ids} == {deal.order_id}
            with pytest.raises(NotFound):
                uow.orders.of_sale_for_update(SaleId(987654321))

    def test_finds_what_is_due_the_longest_overdue_first(self, desk: Desk) -> None:
        second = desk.shipped()
        desk.market.later(days=1)
        first, last = desk.shipped(), desk.shipped()
        desk.confirm(first)
        ended = desk.shipped()
        desk.confirm(ended)
        desk.market.later(days=3)
        desk.complete_sale(actor=OPERATOR, sale_id=ended.sale_id, reason="all is well")

        def due(*skip: SaleId) -> SaleId | None:
            with desk.market.unit_of_work() as uow:
                found = uow.orders.next_to_complete_for_update(now=desk.market.clock.now(), skip=skip)
                if found is None:
                    return None
                assert found[0].sale(found[1]).is_due(desk.market.clock.now())
                return found[1]

        assert due() == first.sale_id
        assert due(first.sale_id) is None
        desk.market.later(days=11)
        assert due(first.sale_id) == second.sale_id
        assert due(first.sale_id, second.sale_id) == last.sale_id
        assert due(first.sale_id, second.sale_id, last.sale_id) is None

    def test_puts_pieces_back_on_the_listing_when_asked(self, desk: Desk) -> None:
        kept, back = desk.paid(), desk.paid()
        desk.cancel(kept)
        desk.cancel(back, restock=True)
        assert [desk.market.stock(deal.listings[0])[0] for deal in (kept, back)] == [3, 5]

    def test_is_open_for_both_sides_until_it_is_over_and_keeps_nobody_afterwards(self, desk: Desk) -> None:
        deal = desk.shipped()
        desk.confirm(deal)

        def open_for(who: Actor) -> set[MatterKind]:
            with desk.market.unit_of_work() as uow:
                return {matter.kind for matter in uow.personal_data.open_matters(who.account_id)}

        assert open_for(deal.buyer) == {MatterKind.ORDER_UNDERWAY}
        assert open_for(deal.seller) == {MatterKind.SALE_UNDERWAY, MatterKind.PAYOUT_OWED}
        desk.market.later(days=3)
        desk.complete_sales()
        assert open_for(deal.buyer) == set()
        assert open_for(deal.seller) == {MatterKind.PAYOUT_OWED}

    def test_forgets_why_a_buyer_who_left_wanted_to_cancel(self, desk: Desk) -> None:
        leaves, stays = desk.paid(), desk.paid()
        for deal in (leaves, stays):
            desk.ask(deal, reason="my son bought it")
        with desk.market.unit_of_work() as uow:
            uow.personal_data.forget(leaves.buyer.account_id, traces=Traces(), now=desk.market.clock.now())
            uow.commit()
        wishes = [desk.sale(deal).cancellation for deal in (leaves, stays)]
        assert [wish.reason for wish in wishes if wish is not None] == [ERASED, "my son bought it"]
