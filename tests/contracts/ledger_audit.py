"""What every audit of the books promises: it finds nothing where all is right, and whatever was tampered with."""

from marketplace.application.ledger import VerifyLedger
from marketplace.application.ports.payment_gateway import OutcomeUnknown, ProviderBalance
from marketplace.domain import journals, ledger
from marketplace.domain.ledger import Journal, JournalKind, Line
from marketplace.domain.payments.chargebacks import Chargeback, ChargebackMovement
from marketplace.domain.recoveries import Recovery
from marketplace.domain.shared.money import Money
from tests.purchases import (
    FIRST_SELLER,
    NOW,
    ORDER,
    REFUND,
    SECOND_SELLER,
    store_market,
    store_paid_order,
    store_refund,
    store_unpaid_order,
)

UNPAID = ORDER + 1
CAPTURE, FEE = f"charge:ch_{ORDER}", f"fee:txn_{ORDER}"


class Provider:
    """Holds ``amount`` minor units, or is silent when that is None."""

    name = "simulated"

    def __init__(self, amount: int | None) -> None:
        self.amount = amount

    def balance(self, currency: str) -> ProviderBalance:
        if self.amount is None:
            raise OutcomeUnknown("The provider did not answer.")
        return ProviderBalance(currency=currency, available=self.amount - 1, pending=1)


class LedgerAuditContract:
    """Subclasses provide ``unit_of_work``, a factory that is bound to no foreign key, ``audit`` and ``tamper``.

    ``tamper`` changes what is stored as nobody may: ``order(id, **fields)``, ``sale(id, ...)``, ``line(id, ...)``,
    ``listing(id, ...)``, ``refund(id, ...)``, ``payout(id, ...)``,
    ``remove_journal(key)``, ``rebook(key, account, to=, amount=)``.
    """

    def books(self, unit_of_work) -> None:
        store_market(unit_of_work)
        store_paid_order(unit_of_work)
        store_unpaid_order(unit_of_work, UNPAID)

    def failed(self, audit, *, provider: int | None = 11905) -> dict[str, list[str]]:
        """The subjects that each failed check names."""
        report = VerifyLedger(audit=audit, gateway=Provider(provider))()
        return {c.name: [finding.subject for finding in c.findings] for c in report.checks if not c.ok}

    def test_an_empty_market_is_right(self, audit):
        assert self.failed(audit) == {}

    def test_a_purchase_is_right(self, unit_of_work, audit):
        self.books(unit_of_work)
        assert self.failed(audit) == {}

    def test_a_purchase_and_its_refund_are_right(self, unit_of_work, audit):
        self.books(unit_of_work)
        store_refund(unit_of_work)
        assert self.failed(audit) == {}

    def test_late_money_for_what_is_gone_is_right(self, unit_of_work, audit):
        store_market(unit_of_work)
        store_paid_order(unit_of_work, missing={ORDER * 100 + 1: 1, ORDER * 100 + 2: 1})
        assert self.failed(audit) == {}

    def test_a_refund_that_was_sent_and_came_back_is_right(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        refund = store_refund(unit_of_work)
        facts = {"provider_refund_id": "re_1", "order_id": ORDER, "currency": "EUR", "at": NOW}
        amount = refund.amount.amount
        with unit_of_work() as uow:
            uow.ledger.post(journals.refund_created(amount=amount, **facts))
            uow.commit()
        assert self.failed(audit, provider=11905 - amount) == {"refunds_are_booked": ["journal refund_sent:re_1"]}
        tamper.refund(REFUND, provider_refund_id="re_1", status="succeeded", first_sent_at=NOW)
        assert self.failed(audit, provider=11905 - amount) == {}
        tamper.refund(REFUND, status="failed")
        assert self.failed(audit, provider=11905 - amount) == {"refunds_are_booked": [f"refund {REFUND}"]}
        with unit_of_work() as uow:
            uow.ledger.post(journals.refund_failed(amount=amount, **facts))
            uow.commit()
        assert self.failed(audit) == {}

    def test_finds_a_journal_that_does_not_balance(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.rebook(FEE, "expenses:stripe_fees", amount=208)
        found = self.failed(audit)
        assert set(found) == {"journals_balance", "ledger_balances"}
        (subject,) = found["journals_balance"]
        assert subject.endswith(f"(stripe_fee {FEE})")
        assert found["ledger_balances"] == ["EUR"]

    def test_finds_an_account_on_the_wrong_side(self, unit_of_work, audit):
        self.books(unit_of_work)
        overdrawn = Journal(
            kind=JournalKind.STRIPE_FEE,
            source_key="fee:strange",
            currency="EUR",
            lines=(Line(ledger.SHIPPING, 5000), Line(ledger.receivable(FIRST_SELLER), -5000)),
            occurred_at=NOW,
        )
        with unit_of_work() as uow:
            uow.ledger.post(overdrawn)
            uow.commit()
        assert self.failed(audit) == {
            "accounts_keep_to_their_side": [ledger.receivable(FIRST_SELLER), ledger.SHIPPING],
            "recoveries_are_booked": [ledger.receivable(FIRST_SELLER)],
        }

    def test_finds_a_journal_of_an_order_that_does_not_exist(self, unit_of_work, audit):
        self.books(unit_of_work)
        fee = journals.stripe_fee(balance_transaction_id="txn_9", order_id=999, currency="EUR", fee=1, at=NOW)
        with unit_of_work() as uow:
            uow.ledger.post(fee)
            uow.commit()
        assert self.failed(audit, provider=11904) == {"journals_name_their_order": ["journal fee:txn_9"]}

    def test_finds_a_refund_that_is_not_booked(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        store_refund(unit_of_work)
        tamper.remove_journal(f"refund:{REFUND}")
        found = self.failed(audit)
        assert set(found) == {"refunds_are_booked", "payouts_are_booked"}
        assert found["refunds_are_booked"] == [f"refund {REFUND}"]

    def test_finds_a_refund_of_another_amount_than_was_booked(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        store_refund(unit_of_work)
        tamper.refund(REFUND, amount=5255)
        assert self.failed(audit) == {"refunds_are_booked": [f"refund {REFUND}"]}

    def test_finds_stock_below_zero_and_claims_above_it(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.listing(501, stock=-1)
        assert self.failed(audit) == {"stock_covers_claims": ["listing 501"]}
        tamper.listing(501, stock=1, claimed=2)
        assert self.failed(audit)["stock_covers_claims"] == ["listing 501"]

    def test_finds_claims_that_no_reservation_explains(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.listing(502, claimed=1)
        assert self.failed(audit) == {"claims_are_reservations": ["listing 502"]}

    def test_finds_lines_sales_and_orders_that_do_not_add_up(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.line(UNPAID * 100 + 1, quantity=2)
        (subject,) = self.failed(audit)["parts_add_up"]
        tamper.line(UNPAID * 100 + 1, quantity=1)
        tamper.sale(UNPAID * 10 + 1, commission=1)
        assert self.failed(audit) == {"parts_add_up": [subject]}
        tamper.sale(UNPAID * 10 + 1, commission=251)
        tamper.line(UNPAID * 100 + 1, returned=1)
        assert self.failed(audit) == {"parts_add_up": [subject]}
        tamper.line(UNPAID * 100 + 1, returned=0)
        assert self.failed(audit) == {}

    def test_finds_a_paid_order_without_its_payment(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.remove_journal(CAPTURE)
        found = self.failed(audit, provider=-207)
        assert set(found) == {"paid_once", "payouts_are_booked"}

    def test_finds_an_unpaid_order_with_a_payment(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.order(ORDER, paid_at=None)
        assert set(self.failed(audit)) == {"paid_once"}

    def test_finds_a_payment_that_is_not_what_was_agreed(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        tamper.rebook(CAPTURE, ledger.pending(FIRST_SELLER), to=ledger.pending(SECOND_SELLER))
        assert set(self.failed(audit)) == {"paid_once", "payouts_are_booked"}

    def test_finds_money_that_is_neither_held_nor_refunded_nor_ours(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        store_refund(unit_of_work)
        tamper.rebook(f"refund:{REFUND}", "revenue:commission_buyer", to="expenses:bad_debt")
        assert set(self.failed(audit)) == {"money_is_accounted_for"}

    def test_finds_more_refunded_than_was_paid(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        store_refund(unit_of_work)
        key = f"refund:{REFUND}"
        tamper.rebook(key, "liabilities:refunds_payable", amount=-12113)
        tamper.rebook(key, ledger.pending(FIRST_SELLER), amount=12113 - 251 - 251)
        tamper.refund(REFUND, amount=12113)
        assert set(self.failed(audit)) == {
            "refunds_within_payment",
            "accounts_keep_to_their_side",
            "payouts_are_booked",
        }

    def test_finds_a_payout_that_is_not_what_was_booked(self, unit_of_work, audit, tamper):
        self.books(unit_of_work)
        with unit_of_work() as uow:
            payout, _ = uow.payouts.of_order_for_update(ORDER)
        tamper.payout(payout.id, withheld_amount=1)
        assert set(self.failed(audit)) == {"payouts_are_booked"}

    def test_finds_a_debt_that_is_not_booked(self, unit_of_work, audit):
        self.books(unit_of_work)
        with unit_of_work() as uow:
            payout, _ = uow.payouts.of_order_for_update(ORDER)
            debt = Recovery.decide(
                id=77,
                payout_id=payout.id,
                order_id=ORDER,
                sale_id=payout.sale_id,
                seller_id=FIRST_SELLER,
                amount=Money(5, "EUR"),
                cause="refund:1",
                now=NOW,
            )
            uow.recoveries.add(debt)
            uow.commit()
        assert self.failed(audit) == {"recoveries_are_booked": [ledger.receivable(FIRST_SELLER)]}

    def test_finds_a_chargeback_that_is_not_booked(self, unit_of_work, audit):
        self.books(unit_of_work)
        chargeback = Chargeback.found(
            id=78,
            provider_chargeback_id="du_1",
            order_id=ORDER,
            payment_id=ORDER + 1000,
            amount=Money(500, "EUR"),
            reason="fraudulent",
            opened_at=NOW,
        )
        chargeback.movements.append(
            ChargebackMovement(balance_transaction_id="txn_9", amount=-500, fee=20, created_at=NOW)
        )
        with unit_of_work() as uow:
            uow.chargebacks.add(chargeback)
            uow.commit()
        assert set(self.failed(audit)) == {"chargebacks_are_booked"}

    def test_finds_another_balance_at_the_provider(self, unit_of_work, audit):
        self.books(unit_of_work)
        assert self.failed(audit, provider=11904) == {"provider_agrees": ["simulated EUR"]}

    def test_says_when_the_provider_could_not_be_asked(self, unit_of_work, audit):
        self.books(unit_of_work)
        assert self.failed(audit, provider=None) == {}
