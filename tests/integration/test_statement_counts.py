"""What each GET of the API asks the database for: as many statements for many things as for one."""

from datetime import timedelta

import pytest

from marketplace.application.payouts import positions
from tests.integration.statements import noted
from tests.integration.town import ADDRESS, Town, answered

pytestmark = pytest.mark.slow

V1 = "/api/v1"
STATEMENTS = {
    # Nobody needs to be signed in. A list is its page and its count; some ask first for what it belongs to.
    "/products/": 2,
    "/products/{product}/": 1,
    "/products/{product}/variants/": 3,
    "/products/{product}/listings/": 2,
    "/sets/": 2,
    "/sets/{set}/": 1,
    "/categories/": 1,
    "/categories/{category}/": 1,
    "/languages/": 1,
    "/versions/": 1,
    "/conditions/": 1,
    "/grades/": 1,
    "/search/": 2,
    "/sellers/{seller}/": 1,
    "/sellers/{seller}/listings/": 2,
    "/listings/": 2,
    "/listings/{listing}/": 1,
    "/openapi.json": 0,
    # One more each, which looks up the session.
    "/users/me/": 2,
    "/users/me/professional-info/": 2,
    "/users/me/addresses/": 3,
    "/users/me/addresses/{address}/": 2,
    "/users/me/notifications/": 4,
    "/users/me/notification-preferences/": 3,
    "/auth/sessions/": 3,
    "/auth/two-factor/": 2,
    # Twenty-two parts, most of them a list that is read to its end.
    "/users/me/export/": 39,
    "/cart/": 2,
    "/orders/": 3,
    # Its buyer gets the secret with it: the payment, and three of the simulated provider's own.
    "/orders/{order}/": 5,
    # The buyer's name there, and what the simulated provider reads.
    "/payments/methods/": 4,
    "/sellers/me/": 2,
    "/sellers/me/sales/": 3,
    "/sellers/me/sales/{sale}/": 2,
    "/sellers/me/payouts/": 3,
    "/sellers/me/payouts/{payout}/": 2,
    "/sellers/me/balance/": 2,
    # The order that they are of, or the document alone.
    "/orders/{order}/invoice/": 3,
    "/orders/{order}/documents/": 4,
    "/orders/{order}/documents/{document}/": 3,
    "/sellers/me/documents/": 3,
    "/sellers/me/documents/{document}/": 2,
    "/sellers/me/statements/": 2,
    # Who it is for: account, shop and address; what was before, and what moved.
    "/sellers/me/statements/{month}/": 7,
    "/admin/documents/": 3,
    # That it was read is recorded.
    "/admin/documents/{document}/": 3,
    "/admin/sellers/": 3,
    "/admin/users/": 3,
    "/admin/users/{user}/": 2,
    "/admin/audit/": 3,
    "/admin/payouts/": 3,
    "/disputes/": 3,
    "/disputes/{dispute}/": 2,
    "/admin/disputes/": 3,
    "/admin/refunds/": 3,
    "/admin/refunds/{refund}/": 2,
    # Their movements beside them.
    "/admin/chargebacks/": 4,
    "/admin/chargebacks/{chargeback}/": 3,
    "/admin/fees/": 3,
    "/admin/fees/current/": 2,
    "/admin/ledger/entries/": 3,
    "/admin/ledger/balances/": 3,
    # The order, its refunds, its journals and their number.
    "/admin/ledger/explain/": 6,
    "/admin/ledger/reconciliation/": 2,
    "/admin/ledger/differences/": 3,
}

# What an address cannot be asked without.
ASKED = {"/admin/ledger/explain/": "?order={order}"}


# What an address is asked of, where another of its kind is not enough.
OF = {
    "/orders/{order}/invoice/": {"order": "paid_order"},
    "/orders/{order}/documents/": {"order": "paid_order"},
    "/orders/{order}/documents/{document}/": {"order": "paid_order", "document": "invoice"},
}


@pytest.fixture
def town(clean_database, tmp_path):
    town = Town(clean_database, tmp_path)
    yield town
    town.close()


def claims(town, admin, red, ada):
    """On the sale that there is: a refund of a part, a dispute of its buyer, and a chargeback of their bank."""
    sale = red.sales()[0]
    answered(red.ask("POST", f"/sellers/me/sales/{sale['id']}/ship/", {"carrier": "UPS", "tracking_number": "1Z"}), 200)
    refund = {"amount": "1.00", "reason": "A gesture"}
    claim = {"sale": sale["id"], "reason": "damaged", "description": "A corner is bent"}
    made = {
        "refund": answered(admin.ask("POST", f"/admin/orders/{sale['order']}/refund/", refund), 201)["id"],
        "dispute": answered(ada.ask("POST", "/disputes/", claim), 201)["id"],
    }
    intent = ada.get(f"/orders/{sale['order']}/")["payment"]["intent_id"]
    town.work()
    town.container.payment_provider.simulated().open_chargeback(intent)
    town.work()
    return {**made, "chargeback": admin.get("/admin/chargebacks/")["results"][0]["id"]}


def documents(town, sale):
    """The buyer's invoice of a sale's order, and the seller's of its fees, as if it were complete."""
    container = town.container
    unit = container.backend.unit_of_work()
    with unit as uow:
        order = uow.orders.get_for_update(sale["order"])
        positions.fall_due(uow, order.sale(sale["id"]), order, now=container.clock().now())
        uow.commit()
    (fees,) = container.documents.issue().of_order(sale["order"], sale_id=sale["id"])
    return {
        "paid_order": sale["order"],
        "invoice": container.backend.document_queries().invoice_of(sale["order"]).id,
        "document": fees.id,
        "month": "2026-01",
    }


def test_are_fixed_at_every_address(town):
    admin, red, ada = town.admin(), town.seller("red"), town.member("ada")
    cards = [admin.describes(f"Card {number}") for number in range(6)]
    category = answered(admin.ask("POST", "/categories/", {"name": "Cards", "slug": "cards"}), 201)
    new_set = {"tcg_type": "pokemon", "external_id": "base1", "code": "BS", "name": "Base"}
    card_set = answered(admin.ask("POST", "/sets/", new_set), 201)
    listing, *others = [red.offers(card, price="10.00", stock=9) for card in cards]

    def buys(*listings):
        order = ada.orders(*listings)
        answered(ada.pays(order), 200)
        town.work()

    buys(listing)
    ids = {
        "product": cards[0],
        "set": card_set["id"],
        "category": category["id"],
        "seller": red.get("/users/me/")["id"],
        "user": red.get("/users/me/")["id"],
        "listing": listing,
        "address": answered(ada.ask("POST", "/users/me/addresses/", ADDRESS), 201)["id"],
        "order": ada.orders(listing),
        "sale": red.sales()[0]["id"],
        "payout": red.get("/sellers/me/payouts/")["results"][0]["id"],
        **claims(town, admin, red, ada),
        **documents(town, red.sales()[0]),
    }
    setup = answered(ada.ask("POST", "/payments/setup-intents/"), 201)["id"]
    town.container.payment_provider.simulated().finish_setup(setup, payment_method="pm_card_visa")
    # Which fees hold is remembered for seconds: whether they have passed is not the request's doing.
    fees = town.container.fees.in_force()
    fees.life = timedelta(days=1)
    fees.read(town.container.clock().now())
    seen = noted(town.container.backend.engine(), town.container.backend.reader())

    def counted(address):
        who = admin if "/admin/" in address else red if "/sellers/me/" in address else ada
        of = {**ids, **{name: ids[other] for name, other in OF.get(address, {}).items()}}
        path = address.format(**of) + ASKED.get(address, "").format(**of)
        is_open = list(STATEMENTS).index(address) < list(STATEMENTS).index("/users/me/")
        seen.clear()
        if is_open:
            answered(town.browser.get(V1 + path), 200)
        else:
            who.get(path)
        return len(seen)

    few = {address: counted(address) for address in STATEMENTS}
    buys(*others[:3])
    for other in others:
        ada.takes(other)
        answered(ada.ask("POST", "/users/me/addresses/", ADDRESS), 201)
        red.offers(ids["product"], price="11.00")
    many = {address: counted(address) for address in STATEMENTS}

    assert few == STATEMENTS
    assert many == STATEMENTS


def test_are_written_down_for_every_address(town):
    rules = town.browser.application.url_map.iter_rules()
    asked = {rule.rule.removeprefix(V1) for rule in rules if "GET" in rule.methods and rule.rule.startswith(V1)}
    known = {address.replace("{", "<int:").replace("}", "_id>") for address in STATEMENTS}
    assert asked == {address.replace("<int:month_id>", "<string:month>") for address in known}
