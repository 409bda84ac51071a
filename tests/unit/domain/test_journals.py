"""What each fact about money books: the worked examples and scenarios of the fee specification, to the line."""

import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marketplace.domain import journals, ledger
from marketplace.domain.fees import Quote, Return, Returned, SellerShare, price_return
from marketplace.domain.journals import (
    chargeback_lost,
    chargeback_withdrawn,
    chargeback_won,
    dispute_hold,
    dispute_release,
    order_completed,
    payment_captured,
    payout_created,
    payout_failed,
    payout_paid,
    receivable_netted,
    refund_created,
    refund_decided,
    refund_failed,
    seller_writeoff,
    stripe_fee,
    topup,
    transfer_created,
    transfer_reversed,
)
from marketplace.domain.ledger import Journal, Line, on_hold, payable, pending, receivable
from marketplace.domain.shared.errors import Invalid

DATA = Path(__file__).parents[2] / "data" / "fees"
SHARED = Path(__file__).parents[4] / "shared" / "fees"
GOLDEN = json.loads((DATA / "golden.json").read_text())["examples"]
SCENARIOS = {each["name"]: each for each in json.loads((DATA / "ledger.json").read_text())["scenarios"]}
AT = datetime(2026, 1, 15, tzinfo=UTC)
REFUNDED = [example for example in GOLDEN if "refunds" in example]
FACTS = {"order_id": 7, "currency": "EUR", "at": AT}
OURS = {"currency": "EUR", "at": AT}


def numbered(account: str) -> str:
    """The files call sellers s1, s2, ...; we call them by their account ids."""
    return ":".join(part[1:] if part[:1] == "s" and part[1:].isdigit() else part for part in account.split(":"))


def expected(lines: list[list[object]]) -> list[Line]:
    return [Line(numbered(str(account)), int(str(amount))) for account, amount in lines]


def capture(example: dict, charge_id: str = "ch_1") -> Journal:
    amounts = example["expect"]
    return payment_captured(
        charge_id=charge_id,
        order_id=7,
        currency=example["currency"],
        total=amounts["buyer_total"],
        sellers=[(int(s["seller"][1:]), s["net"], s["commission"], s["seller_fees"]) for s in amounts["sellers"]],
        commission=amounts["platform_commission"],
        processing=amounts["buyer_processing_fee"],
        shipping=amounts["buyer_shipping_fee"],
        at=AT,
    )


def returned(refund: dict) -> Return:
    amounts = refund["expect"]
    return Return(
        items=refund["item_amount"],
        commission=amounts["buyer_commission_back"],
        processing=amounts["processing_back"],
        shipping=amounts["shipping_back"],
        seller_commission=amounts["seller_commission_back"],
        seller_fees=amounts["seller_fees_back"],
        seller_net=amounts["transfer_reversal_amount"],
    )


class TestJournalsOfTheWorkedExamples:
    @pytest.mark.parametrize("example", GOLDEN, ids=lambda example: example["name"])
    def test_a_capture_books_every_share(self, example):
        journal = capture(example)
        assert list(journal.lines) == expected(example["journal_capture"])
        assert (journal.kind, journal.source_key) == ("payment_captured", "charge:ch_1")

    @pytest.mark.parametrize("example", REFUNDED, ids=lambda example: example["name"])
    def test_a_refund_takes_back_what_was_booked(self, example):
        for refund in example["refunds"]:
            journal = refund_decided(
                refund_id=3,
                order_id=7,
                currency=example["currency"],
                returns=[(pending(int(refund["seller"][1:])), returned(refund))],
                at=AT,
            )
            assert list(journal.lines) == expected(refund["journal_before_transfer"])
            assert (journal.kind, journal.source_key) == ("refund_decided", "refund:3")


def bought(example: dict) -> Quote:
    amounts = example["expect"]
    return Quote(
        currency=example["currency"],
        base=amounts["base"],
        commission=amounts["platform_commission"],
        processing=amounts["buyer_processing_fee"],
        shipping=amounts["buyer_shipping_fee"],
        sellers=tuple(
            SellerShare(
                seller_id=int(share["seller"][1:]),
                base=share["base"],
                commission=share["commission"],
                fees=share["seller_fees"],
            )
            for share in amounts["sellers"]
        ),
    )


(TIE,) = [bought(example) for example in GOLDEN if example["name"] == "two_sellers_tie"]
"""The order that every scenario is about: two sellers of 5005 each."""
NET = {share.seller_id: share.net for share in TIE.sellers}
SECOND = Quote(
    currency="EUR",
    base=10000,
    commission=500,
    processing=600,
    shipping=1000,
    sellers=(SellerShare(seller_id=1, base=10000, commission=500, fees=0),),
)

ALL_OF_1 = [price_return(TIE, 1, 5005, Returned(order=0, seller=0))]
EVERYTHING = [
    price_return(TIE, seller, 5005, Returned(order=already, seller=0), with_processing=True, with_shipping=True)
    for seller, already in ((1, 0), (2, 5005))
]


def captured(priced, charge_id: str) -> Journal:
    return payment_captured(
        charge_id=charge_id,
        total=priced.total,
        sellers=[(share.seller_id, share.net, share.commission, share.fees) for share in priced.sellers],
        commission=priced.commission,
        processing=priced.processing,
        shipping=priced.shipping,
        **FACTS,
    )


def complete(seller: int) -> Journal:
    return order_completed(sale_id=70 + seller, seller_id=seller, amount=NET[seller], **FACTS)


def transfer(seller: int, amount: int | None = None) -> Journal:
    return transfer_created(
        transfer_id=f"tr_{seller}_{amount}", seller_id=seller, amount=amount or NET[seller], **FACTS
    )


def hold(seller: int) -> Journal:
    source = pending(seller)
    facts = {"hold_key": "dispute:9", "sale_id": 70 + seller, "seller_id": seller, "amount": NET[seller], **FACTS}
    return dispute_hold(source=source, **facts)


def release(seller: int, target: Callable[[int], str]) -> Journal:
    facts = {"hold_key": "dispute:9", "sale_id": 70 + seller, "seller_id": seller, "amount": NET[seller], **FACTS}
    return dispute_release(target=target(seller), **facts)


def decided(account: Callable[[int], str], parts: list[Return] = ALL_OF_1) -> Journal:
    returns = [(account(seller), part) for seller, part in enumerate(parts, start=1)]
    return refund_decided(refund_id=1, returns=returns, **FACTS)


def sent(parts: list[Return] = ALL_OF_1) -> Journal:
    return refund_created(provider_refund_id="re_1", amount=sum(part.refund for part in parts), **FACTS)


def withdrawn() -> Journal:
    return chargeback_withdrawn(balance_transaction_id="txn_1", chargeback_id=3, amount=TIE.total, fee=2000, **FACTS)


def lost(account: Callable[[int], str]) -> Journal:
    return chargeback_lost(
        chargeback_id=3,
        sellers=[(account(seller), net) for seller, net in NET.items()],
        commission_seller=TIE.commission,
        seller_fees=0,
        commission_buyer=TIE.commission,
        processing=TIE.processing,
        losses=TIE.shipping,
        **FACTS,
    )


FEE = stripe_fee(balance_transaction_id="txn_charge", fee=207, **FACTS)
PAID = [captured(TIE, "ch_1"), FEE]
SHARES_OUT = 12112 - 207 - sum(NET.values())

OUR_JOURNALS = {
    "happy_path": [
        *PAID,
        complete(1),
        complete(2),
        transfer(1),
        transfer(2),
        payout_created(provider_payout_id="po_1", amount=SHARES_OUT, **OURS),
        payout_paid(provider_payout_id="po_1", amount=SHARES_OUT, **OURS),
        journals.carrier_paid(reference="1", amount=TIE.shipping, **OURS),
    ],
    "partial_refund_before_transfer": [*PAID, decided(pending), sent(), complete(2), transfer(2)],
    "full_refund_stock_gone": [*PAID, decided(pending, EVERYTHING), sent(EVERYTHING)],
    "refund_after_transfer_reversal_ok": [
        *PAID,
        complete(1),
        transfer(1),
        decided(receivable),
        transfer_reversed(reversal_id="trr_1", seller_id=1, amount=NET[1], **FACTS),
        sent(),
    ],
    "refund_after_transfer_reversal_refused_then_netted": [
        *PAID,
        complete(1),
        transfer(1),
        decided(receivable),
        sent(),
        captured(SECOND, "ch_2"),
        order_completed(sale_id=81, seller_id=1, amount=SECOND.sellers[0].net, **FACTS),
        receivable_netted(payout_id=5, recovery_id=6, seller_id=1, amount=NET[1], **FACTS),
        transfer(1, SECOND.sellers[0].net - NET[1]),
    ],
    "in_app_dispute_released": [*PAID, hold(1), release(1, pending), complete(1), transfer(1)],
    "in_app_dispute_refunded": [*PAID, hold(1), decided(on_hold), sent()],
    "refund_fails_at_processor": [
        *PAID,
        decided(pending),
        sent(),
        refund_failed(provider_refund_id="re_1", amount=ALL_OF_1[0].refund, **FACTS),
    ],
    "chargeback_before_transfer_lost": [*PAID, hold(1), hold(2), withdrawn(), lost(on_hold)],
    "chargeback_before_transfer_won": [
        *PAID,
        hold(1),
        hold(2),
        withdrawn(),
        chargeback_won(balance_transaction_id="txn_2", chargeback_id=3, amount=TIE.total, fee=0, **FACTS),
        release(1, payable),
        release(2, payable),
        transfer(1),
        transfer(2),
    ],
    "chargeback_after_payout_lost_one_unrecoverable": [
        *PAID,
        complete(1),
        complete(2),
        transfer(1),
        transfer(2),
        withdrawn(),
        lost(receivable),
        transfer_reversed(reversal_id="trr_2", seller_id=2, amount=NET[2], **FACTS),
        seller_writeoff(recovery_id=6, part=1, seller_id=1, amount=NET[1], **FACTS),
    ],
    "payout_fails": [
        *PAID,
        payout_created(provider_payout_id="po_1", amount=1396, **OURS),
        payout_failed(provider_payout_id="po_1", amount=1396, **OURS),
    ],
    "topup_covers_transfer": [
        *PAID,
        topup(balance_transaction_id="txn_9", amount=5000, **OURS),
        complete(1),
        transfer(1),
    ],
}


class TestScenarios:
    @pytest.mark.parametrize("name", SCENARIOS)
    def test_our_journals_are_those_of_the_specification_in_its_order(self, name):
        ours = [(journal.kind.value, list(journal.lines)) for journal in OUR_JOURNALS[name]]
        assert ours == [(each["kind"], expected(each["lines"])) for each in SCENARIOS[name]["journals"]]

    @pytest.mark.parametrize("name", SCENARIOS)
    def test_what_stands_on_the_accounts_in_the_end_and_no_fact_has_the_name_of_another(self, name):
        balances: dict[str, int] = defaultdict(int)
        for line in (line for journal in OUR_JOURNALS[name] for line in journal.lines):
            balances[line.account] += line.amount
            assert not ledger.is_overdrawn(line.account, balances[line.account])
        final = {numbered(account): amount for account, amount in SCENARIOS[name]["final_balances"].items()}
        assert {account: amount for account, amount in balances.items() if amount} == final
        assert balances[ledger.STRIPE_BALANCE] == SCENARIOS[name]["stripe_balance"]
        names = {(journal.kind, journal.source_key) for journal in OUR_JOURNALS[name]}
        assert len(names) == len(OUR_JOURNALS[name])

    @pytest.mark.skipif(not SHARED.is_dir(), reason="only where the specification lies beside the project")
    @pytest.mark.parametrize("file", ["golden.json", "ledger.json"])
    def test_the_copy_is_the_specification(self, file):
        assert json.loads((SHARED / file).read_text()) == json.loads((DATA / file).read_text())


HELD = {"hold_key": "restriction:1:1", "sale_id": 71, "seller_id": 1, "amount": 4754, **FACTS}


class TestWhatTheScenariosDoNotShow:
    def test_a_restriction_holds_as_a_dispute_does_under_a_name_of_its_own(self):
        held, let_go = (
            journals.payout_hold(source=payable(1), **HELD),
            journals.payout_release(target=payable(1), **HELD),
        )
        assert held.lines == (Line(payable(1), 4754), Line(on_hold(1), -4754))
        assert let_go.lines == (Line(on_hold(1), 4754), Line(payable(1), -4754))
        assert (held.kind, held.source_key) == ("payout_hold", "hold:restriction:1:1:71")
        assert (let_go.kind, let_go.source_key) == ("payout_release", "release:restriction:1:1:71")

    def test_fees_of_no_order_are_booked_and_come_back(self):
        fee = stripe_fee(balance_transaction_id="txn_3", order_id=None, fee=-30, **OURS)
        assert fee.lines == (Line(ledger.STRIPE_FEES, -30), Line(ledger.STRIPE_BALANCE, 30))
        assert (fee.source_key, fee.order_id) == ("fee:txn_3", None)

    def test_a_won_chargeback_may_give_its_fee_back(self):
        won = chargeback_won(balance_transaction_id="txn_2", chargeback_id=3, amount=500, fee=-20, **FACTS)
        assert won.lines == (
            Line(ledger.STRIPE_BALANCE, 520),
            Line(ledger.DISPUTED_FUNDS, -500),
            Line(ledger.DISPUTE_FEES, -20),
        )

    def test_what_comes_back_after_a_loss_waits_until_its_owner_is_known(self):
        won = chargeback_won(
            balance_transaction_id="txn_2", chargeback_id=3, amount=500, fee=0, after_loss=True, **FACTS
        )
        assert won.lines == (Line(ledger.STRIPE_BALANCE, 500), Line(ledger.SUSPENSE, -500))

    def test_a_payout_that_failed_after_it_had_arrived_leaves_the_bank(self):
        failed = payout_failed(provider_payout_id="po_1", amount=10, after_paid=True, **OURS)
        assert failed.lines == (Line(ledger.STRIPE_BALANCE, 10), Line(ledger.BANK, -10))

    def test_a_refund_that_was_paid_in_another_way_is_owed_no_more(self):
        settled = journals.refund_settled(refund_id=3, amount=10, source=ledger.BANK, **FACTS)
        assert settled.lines == (Line(ledger.REFUNDS_PAYABLE, 10), Line(ledger.BANK, -10))
        assert settled.source_key == "refund_settled:3"

    @pytest.mark.parametrize("net", [12, -12])
    def test_what_nobody_can_explain_is_kept_apart_whichever_way_it_went(self, net):
        journal = journals.unexplained(balance_transaction_id="txn_4", net=net, **OURS)
        assert journal.lines == (Line(ledger.STRIPE_BALANCE, net), Line(ledger.SUSPENSE, -net))

    @pytest.mark.parametrize(
        "booked",
        [
            lambda: order_completed(sale_id=1, seller_id=1, amount=-1, **FACTS),
            lambda: transfer_created(transfer_id="tr", seller_id=1, amount=-1, **FACTS),
            lambda: chargeback_withdrawn(balance_transaction_id="t", chargeback_id=3, amount=-1, fee=0, **FACTS),
            lambda: chargeback_won(balance_transaction_id="t", chargeback_id=3, amount=-1, fee=0, **FACTS),
        ],
    )
    def test_an_amount_with_the_wrong_sign_is_refused(self, booked):
        with pytest.raises(Invalid, match="without a sign"):
            booked()
