"""What must hold of each order by itself: its parts, its money, its payouts, its chargebacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass

from marketplace.application.ports.ledger import OrderFacts
from marketplace.domain import ledger
from marketplace.domain.fees import FeeComponent, FeePayer
from marketplace.domain.ledger import AccountType, JournalKind
from marketplace.domain.payout_states import PayoutStatus
from marketplace.domain.shared.ids import AccountId


@dataclass(frozen=True, slots=True)
class OrderCheck:
    """A judgement of one order: what is wrong with it, or nothing."""

    name: str
    promise: str
    judge: Callable[[OrderFacts], str]


def _parts_add_up(order: OrderFacts) -> str:
    """Lines to sales, sales to the order, fees to both, and what went back of them."""
    for sale in order.sales:
        if sale.lines != sale.base:
            return f"the lines of sale {sale.id} add up to {sale.lines}, the sale says {sale.base}"
        # An amount may be given back without a piece, so that more can be returned than the pieces are worth.
        if sale.lines_returned > sale.returned:
            return f"pieces worth {sale.lines_returned} went back of sale {sale.id}, it says {sale.returned}"
    bases = sum(sale.base for sale in order.sales)
    if bases != order.base:
        return f"its base is {order.base}, its sales add up to {bases}"
    return _unexplained_fee(order)


def _unexplained_fee(order: OrderFacts) -> str:
    """The rules that it was charged by come to its amounts, and to each sale's: buyer and sellers may pay unequally."""
    agreed: dict[str, int] = {
        f"{FeeComponent.COMMISSION} of the buyer": order.commission,
        f"{FeeComponent.PROCESSING} of the buyer": order.processing,
        f"{FeeComponent.SHIPPING} of the buyer": order.shipping,
    }
    for sale in order.sales:
        agreed[f"{FeeComponent.COMMISSION} of seller {sale.seller_id}"] = sale.commission
        agreed[f"{FeeComponent.SELLER_FEES} of seller {sale.seller_id}"] = sale.seller_fees
    explained: dict[str, int] = defaultdict(int)
    for fee in order.fees:
        if fee.rule.payer is not FeePayer.SELLER:
            explained[f"{fee.rule.component} of the buyer"] += fee.amount
        for part in fee.parts:
            explained[f"{fee.rule.component} of seller {part.seller_id}"] += part.share
    for what in sorted({*agreed, *explained}):
        if agreed.get(what, 0) != explained.get(what, 0):
            return f"{what} is {agreed.get(what, 0)}, its rules come to {explained.get(what, 0)}"
    return ""


def _paid_once(order: OrderFacts) -> str:
    """A paid order has one payment journal, of exactly what was agreed; an unpaid one has none."""
    if not order.is_paid:
        return f"is not paid, and has {len(order.captures)} payment journals" if order.captures else ""
    if len(order.captures) != 1:
        return f"is paid, and has {len(order.captures)} payment journals"
    agreed = {
        ledger.STRIPE_BALANCE: order.base + order.commission + order.processing + order.shipping,
        ledger.COMMISSION_SELLER: -sum(sale.commission for sale in order.sales),
        ledger.SELLER_FEES: -sum(sale.seller_fees for sale in order.sales),
        ledger.COMMISSION_BUYER: -order.commission,
        ledger.PROCESSING_FEE: -order.processing,
        ledger.SHIPPING: -order.shipping,
    }
    for sale in order.sales:
        agreed[ledger.pending(sale.seller_id)] = sale.commission + sale.seller_fees - sale.base
    booked: dict[str, int] = defaultdict(int)
    for line in order.captures[0]:
        booked[line.account] += line.amount
    for account in sorted({*agreed, *booked}):
        if agreed.get(account, 0) != booked.get(account, 0):
            return f"{account} was booked {booked.get(account, 0)} at payment, agreed was {agreed.get(account, 0)}"
    return ""


def _money_is_accounted_for(order: OrderFacts) -> str:
    """captured = transferred - reversed + refunded + charged back + held + our revenue + shipping - borne by somebody

    What is borne: owed by sellers, disputed, or our own loss.
    """
    captured = order.moves.get((JournalKind.PAYMENT_CAPTURED, ledger.STRIPE_BALANCE), 0)
    where = {
        "transferred": _moved_by(order, JournalKind.TRANSFER_CREATED, _OF_SELLERS),
        "reversed": _moved_by(order, JournalKind.TRANSFER_REVERSED, _RECEIVABLES),
        "refunded": _refunded(order),
        "charged back": _moved(order, ledger.DISPUTED_FUNDS, _CHARGED_BACK)
        + _moved(order, ledger.SUSPENSE, _CHARGED_BACK),
        "held": -_moved(order, _OF_SELLERS),
        "revenue": -_moved(order, f"{AccountType.REVENUE}:", _SHARED),
        "shipping": -_moved(order, ledger.SHIPPING, _SHARED),
        "borne": -sum(_moved(order, account, kinds) for account, kinds in _BORNE.items()),
    }
    if captured == sum(where.values()):
        return ""
    parts = ", ".join(f"{amount} {name}" for name, amount in where.items() if amount)
    return f"{captured} were captured, but there are {parts or 'nothing'}"


def _payouts_are_booked(order: OrderFacts) -> str:
    """Where the money of each sale stands, in the ledger and in its payout."""
    if not order.is_paid:
        return ""
    agreed: dict[str, int] = defaultdict(int)
    for sale in order.sales:
        payout = sale.payout
        if payout is None:
            return f"is paid, and sale {sale.id} has no payout"
        if payout.amount != sale.net:
            return f"sale {sale.id} leaves {sale.net}, its payout is of {payout.amount}"
        agreed[f"sent to seller {sale.seller_id}"] += payout.transferred
        for account in (ledger.pending, ledger.on_hold, ledger.payable):
            agreed[account(sale.seller_id)] += payout.remaining if _STANDS.get(payout.status) is account else 0
    for what, amount in sorted(agreed.items()):
        if what.startswith(_OF_SELLERS):
            booked = -_moved(order, what)
        else:
            payable = ledger.payable(AccountId(int(what.rpartition(" ")[2])))
            booked = order.moves.get((JournalKind.TRANSFER_CREATED, payable), 0)
        if booked != amount:
            return f"{what}: {booked} in the ledger, {amount} by its payouts"
    return ""


def _within_net(order: OrderFacts) -> str:
    """reversed <= transferred <= net, for each seller"""
    for sale in order.sales:
        sent = order.moves.get((JournalKind.TRANSFER_CREATED, ledger.payable(sale.seller_id)), 0)
        back = -order.moves.get((JournalKind.TRANSFER_REVERSED, ledger.receivable(sale.seller_id)), 0)
        if not back <= sent <= sale.net:
            return f"seller {sale.seller_id} got {sent} of {sale.net}, and {back} were taken back"
    return ""


def _claimed_are_kept(order: OrderFacts) -> str:
    for sale in order.sales:
        # What is being sent was on its way before the claim came; it is kept or taken back when that is known.
        is_sending = sale.payout is not None and sale.payout.status == PayoutStatus.SENDING
        payable = -_moved(order, ledger.payable(sale.seller_id))
        if sale.is_claimed and not is_sending and payable:
            return f"{payable} are payable to seller {sale.seller_id}, while a dispute is open on sale {sale.id}"
    return ""


def _chargebacks_are_booked(order: OrderFacts) -> str:
    moved = sum(chargeback.amount - chargeback.fee for chargeback in order.chargebacks)
    booked = _moved(order, ledger.STRIPE_BALANCE, _CHARGED_BACK)
    if moved != booked:
        return f"its chargebacks moved {moved}, booked are {booked}"
    undecided = -sum(chargeback.amount + chargeback.lost for chargeback in order.chargebacks)
    stands = _moved(order, ledger.DISPUTED_FUNDS) + _moved(order, ledger.SUSPENSE, _CHARGED_BACK)
    if undecided != stands:
        return f"{undecided} are undecided of its chargebacks, booked as disputed are {stands}"
    return ""


def _refunds_within_payment(order: OrderFacts) -> str:
    captured = order.moves.get((JournalKind.PAYMENT_CAPTURED, ledger.STRIPE_BALANCE), 0)
    refunded = _refunded(order)
    return f"{refunded} are refunded of {captured} captured" if refunded > captured else ""


def _refunded(order: OrderFacts) -> int:
    """What was decided to go back, sent or not."""
    return -order.moves.get((JournalKind.REFUND_DECIDED, ledger.REFUNDS_PAYABLE), 0)


def _moved(order: OrderFacts, prefix: str, kinds: Collection[JournalKind] = ()) -> int:
    """What accounts moved in all, in debit; by journals of these kinds, or by any."""
    return sum(
        amount
        for (kind, account), amount in order.moves.items()
        if account.startswith(prefix) and (not kinds or kind in kinds)
    )


def _moved_by(order: OrderFacts, kind: JournalKind, prefix: str) -> int:
    return _moved(order, prefix, (kind,))


_OF_SELLERS, _RECEIVABLES = "liabilities:seller:", "assets:seller_receivable:"
_CHARGED_BACK = (JournalKind.CHARGEBACK_WITHDRAWN, JournalKind.CHARGEBACK_WON)
_SHARED = (JournalKind.PAYMENT_CAPTURED, JournalKind.REFUND_DECIDED, JournalKind.CHARGEBACK_LOST)
# Who may move what: money that another kind of journal put there is not accounted for.
_BORNE = {
    _RECEIVABLES: (
        JournalKind.REFUND_DECIDED,
        JournalKind.CHARGEBACK_LOST,
        JournalKind.TRANSFER_REVERSED,
        JournalKind.RECEIVABLE_NETTED,
        JournalKind.SELLER_WRITEOFF,
    ),
    ledger.DISPUTED_FUNDS: (*_CHARGED_BACK, JournalKind.CHARGEBACK_LOST),
    ledger.SUSPENSE: (JournalKind.CHARGEBACK_WON,),
    ledger.CHARGEBACK_LOSSES: (JournalKind.CHARGEBACK_LOST,),
    ledger.BAD_DEBT: (JournalKind.SELLER_WRITEOFF,),
}
_STANDS = {
    PayoutStatus.PENDING: ledger.pending,
    PayoutStatus.ON_HOLD: ledger.on_hold,
    PayoutStatus.DUE: ledger.payable,
    PayoutStatus.SENDING: ledger.payable,
}

ORDER_CHECKS = (
    OrderCheck("parts_add_up", "lines add up to sales and sales to orders", _parts_add_up),
    OrderCheck("paid_once", "paid orders have one payment journal of what was agreed, others none", _paid_once),
    OrderCheck(
        "money_is_accounted_for",
        "what an order brought in is sent, held, gone back, our revenue or for shipping",
        _money_is_accounted_for,
    ),
    OrderCheck("refunds_within_payment", "no order is refunded more than was paid for it", _refunds_within_payment),
    OrderCheck(
        "payouts_are_booked",
        "what is pending, kept back, payable, sent and taken back of each sale is what its payout says",
        _payouts_are_booked,
    ),
    OrderCheck("sellers_get_their_net", "no seller is sent more than their net, nor gives back more", _within_net),
    OrderCheck("claimed_sales_are_kept", "nothing is payable of a sale that a dispute is open on", _claimed_are_kept),
    OrderCheck("chargebacks_are_booked", "what banks took back and gave back is booked", _chargebacks_are_booked),
)
