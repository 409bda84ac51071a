"""From an application to a shop that sells, through the doors, and what the loss of each condition does.

Subclasses provide ``town``, on their backend.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from tests.integration.town import Member, Town, answered, refused


@dataclass
class Shop:
    """Red sells one Charizard, after all four steps; Ada has it in her cart."""

    town: Town
    admin: Member
    red: Member
    ada: Member
    listing: int
    account: str

    @property
    def id(self) -> int:
        return int(self.red.get("/sellers/me/")["id"])

    def decides(self, what: str, **said: object) -> None:
        answered(self.admin.ask("POST", f"/admin/sellers/{self.id}/{what}/", said), 200)
        self.town.work()

    def provider_decides(self, decision: str) -> None:
        self.town.at_the_provider(f"/dev/onboarding/{self.account}/", decision)
        self.town.work()

    def is_open(self) -> bool:
        """Whether anybody can buy from it, asked at every door: they have to agree."""
        browser = self.town.browser
        # A seller who is not approved (any more) is nobody to the public: 404.
        shown = browser.get(f"/api/v1/sellers/{self.id}/listings/").json.get("count") == 1
        found = browser.get(f"/api/v1/listings/{self.listing}/").status_code == 200
        (item,) = self.ada.get("/cart/")["items"]
        in_cart = item["problem"] is None
        assert item["problem"] in (None, "seller_unavailable")
        changed = self.ada.ask("PATCH", f"/cart/items/{item['id']}/", {"quantity": 1})
        assert self.red.get("/sellers/me/")["is_selling"] == shown
        assert {found, in_cart, changed.status_code == 200} == {shown}
        if not shown:
            problem = refused(self.ada.checks_out(), 409, "checkout_conflict")
            assert [each["reason"] for each in problem["items"]] == ["seller_unavailable"]
        return shown

    def missing(self) -> list[str]:
        return [step["step"] for step in self.red.get("/sellers/me/")["checklist"] if not step["done"]]


class BecomingASellerContract:
    @pytest.fixture
    def shop(self, town: Town) -> Shop:
        admin, red, ada = town.admin(), town.member("red"), town.member("ada")
        answered(red.ask("POST", "/sellers/", {"shop_name": "Red's cards"}), 201)
        id = red.get("/sellers/me/")["id"]
        for what in ("approve", "verify-kyc"):
            answered(admin.ask("POST", f"/admin/sellers/{id}/{what}/", {}), 200)
        url = answered(red.ask("POST", "/sellers/me/onboarding/"), 200)["url"]
        town.at_the_provider(url.partition(urlsplit(url).netloc)[2], "succeed")
        town.work()
        listing = red.offers(admin.describes("Charizard"), price="50.05")
        ada.takes(listing)
        account = urlsplit(url).path.split("/")[3]
        return Shop(town=town, admin=admin, red=red, ada=ada, listing=listing, account=account)

    def test_takes_four_steps_each_by_itself(self, town: Town) -> None:
        admin, red = town.admin(), town.member("red")
        product = admin.describes("Charizard")
        offer = {
            "product": product,
            "language": "en",
            "version": "holo",
            "condition": "NM",
            "price": "1.00",
            "stock": 1,
        }

        def lacks() -> list[str]:
            missing: list[str] = refused(red.ask("POST", "/listings/", offer), 403, "permission_denied")["missing"]
            return missing

        assert lacks() == ["approval", "identity", "onboarding"]
        refused(red.ask("POST", "/sellers/me/onboarding/"), 409, "cannot_onboard")
        applied = answered(red.ask("POST", "/sellers/", {"shop_name": "Red's cards", "description": "Fire"}), 201)
        assert (applied["status"], applied["is_selling"]) == ("pending", False)
        refused(red.ask("POST", "/sellers/", {"shop_name": "Other"}), 409, "seller_exists")
        id = applied["id"]
        waiting = admin.get("/admin/sellers/?status=pending")["results"]
        assert [(seller["id"], seller["shop_name"]) for seller in waiting] == [(id, "Red's cards")]
        answered(admin.ask("POST", f"/admin/sellers/{id}/approve/", {"reason": "Known from the fair"}), 200)
        assert lacks() == ["identity", "onboarding"]
        assert "seller" in red.get("/users/me/")["roles"]
        answered(admin.ask("POST", f"/admin/sellers/{id}/verify-kyc/", {}), 200)
        assert lacks() == ["onboarding"]
        url = answered(red.ask("POST", "/sellers/me/onboarding/"), 200)["url"]
        thanks = town.at_the_provider(url.partition(urlsplit(url).netloc)[2], "succeed")
        assert "Thank you" in thanks
        assert lacks() == ["onboarding"], "only the provider's event counts"
        town.work()
        answered(red.ask("POST", "/listings/", offer), 201)
        assert red.letters_about("shop is approved")
        assert red.letters_about("identity is verified")
        assert red.letters_about("provider can pay you")

    def test_pauses_while_the_provider_restricts_the_account(self, shop: Shop) -> None:
        assert shop.is_open()
        shop.provider_decides("fail")
        assert not shop.is_open()
        assert shop.missing() == ["onboarding"]
        told = shop.red.get("/sellers/me/")["payout_account"]
        assert (told["transfers"], bool(told["requirements_due"])) == ("inactive", True)
        assert shop.red.letters_about("restricted your account")
        shop.provider_decides("succeed")
        assert shop.is_open()

    def test_pauses_while_suspended_and_still_shows_what_was_sold(self, shop: Shop) -> None:
        shop.decides("suspend", reason="Late parcels")
        assert not shop.is_open()
        assert shop.red.get("/sellers/me/")["status_reason"] == "Late parcels"
        assert shop.red.sales() == []
        assert shop.town.browser.get(f"/api/v1/sellers/{shop.id}/").status_code == 404
        shop.decides("reinstate")
        assert shop.is_open()
        assert shop.red.letters_about("no longer suspended")

    def test_pauses_while_the_identity_does_not_count(self, shop: Shop) -> None:
        shop.decides("verify-kyc", verified=False, reason="Forged papers")
        assert not shop.is_open()
        assert shop.missing() == ["identity"]
        shop.decides("verify-kyc")
        assert shop.is_open()

    def test_pauses_while_the_address_is_not_verified(self, shop: Shop) -> None:
        for verified in (False, True):
            with shop.town.container.backend.unit_of_work() as uow:
                account = uow.accounts.get(shop.id)
                account.is_email_verified = verified
                uow.accounts.save(account)
                uow.commit()
            shop.town.container.follow_seller_email()(account_id=shop.id)
            assert shop.is_open() is verified

    def test_is_away_on_holiday_and_back_without_any_worker(self, shop: Shop) -> None:
        begins, ends = (shop.town.clock.now() + timedelta(minutes=by) for by in (5, 20))
        window = {"holiday_from": begins.isoformat(), "holiday_until": ends.isoformat()}
        told = answered(shop.red.ask("PATCH", "/sellers/me/", window), 200)
        assert (told["on_holiday"], told["is_selling"]) == (False, True)
        assert shop.is_open()
        shop.town.clock.advance(timedelta(minutes=5))
        assert not shop.is_open()
        profile = answered(shop.town.browser.get(f"/api/v1/sellers/{shop.id}/"), 200)
        assert (profile["on_holiday"], profile["back_at"]) == (True, ends.isoformat())
        shop.town.clock.advance(timedelta(minutes=15))
        assert shop.is_open()

    def test_a_holiday_revives_nothing_that_was_switched_off(self, shop: Shop) -> None:
        answered(shop.red.ask("PATCH", f"/listings/{shop.listing}/", {"status": "inactive"}), 200)
        until = (shop.town.clock.now() + timedelta(minutes=5)).isoformat()
        answered(shop.red.ask("PATCH", "/sellers/me/", {"holiday_until": until}), 200)
        shop.town.clock.advance(timedelta(minutes=5))
        assert shop.town.browser.get(f"/api/v1/listings/{shop.listing}/").status_code == 404
        assert shop.red.get(f"/listings/{shop.listing}/")["status"] == "inactive"

    def test_what_was_ordered_before_the_pause_is_paid_and_sent(self, shop: Shop) -> None:
        order = int(answered(shop.ada.checks_out(), 201)["id"])
        shop.decides("suspend", reason="Late parcels")
        answered(shop.ada.pays(order), 200)
        shop.town.work()
        assert shop.ada.order(order)["status"] == "paid"
        assert [sale["status"] for sale in shop.red.sales()] == ["awaiting_shipment"]
