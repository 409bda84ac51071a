"""What each fact about money books. Debit on the left, credit on the right; amounts in minor units.

    payment captured      stripe_balance                   | seller:<s>:pending each, commission_seller, seller_fees,
                                                           | commission_buyer, processing_fee, shipping
    provider's fee        stripe_fees                      | stripe_balance
    sale completed        seller:<s>:pending               | seller:<s>:payable
    hold                  seller:<s>:pending or :payable   | seller:<s>:on_hold
    release               seller:<s>:on_hold               | seller:<s>:pending or :payable
    transfer              seller:<s>:payable               | stripe_balance
    refund decided        seller:<s>:pending, :on_hold or
                          :payable, or
                          seller_receivable:<s> once paid,
                          what we give back of ours        | refunds_payable
    refund sent           refunds_payable                  | stripe_balance
    refund failed         stripe_balance                   | refunds_payable
    refund settled        refunds_payable                  | bank, or chargeback_losses
    transfer reversed     stripe_balance                   | seller_receivable:<s>
    receivable netted     seller:<s>:payable               | seller_receivable:<s>
    written off           bad_debt                         | seller_receivable:<s>
    chargeback withdrawn  disputed_funds, dispute_fees     | stripe_balance
    chargeback won        stripe_balance                   | disputed_funds, dispute_fees if given back
    chargeback lost       as a refund decided, and
                          chargeback_losses                | disputed_funds
    payout made           payouts_in_transit               | stripe_balance
    payout arrived        bank                             | payouts_in_transit
    payout failed         stripe_balance                   | payouts_in_transit, or bank once it had arrived
    top-up                stripe_balance                   | bank
    carrier paid          shipping                         | bank
    unexplained           stripe_balance or suspense       | suspense or stripe_balance

Every function raises UnbalancedJournal when it is asked to book nothing (the caller knows that there is no fact then),
and Invalid for an amount that stands on the wrong side. Source: the payment design ("Ledger"), the worked scenarios.
"""

from __future__ import annotations

from marketplace.domain.journals.chargebacks import (
    chargeback_lost,
    chargeback_withdrawn,
    chargeback_won,
)
from marketplace.domain.journals.holds import (
    dispute_hold,
    dispute_release,
    order_completed,
    payout_hold,
    payout_release,
)
from marketplace.domain.journals.payouts import (
    receivable_netted,
    seller_writeoff,
    transfer_created,
    transfer_reversed,
)
from marketplace.domain.journals.platform import (
    carrier_paid,
    payout_created,
    payout_failed,
    payout_paid,
    topup,
    unexplained,
)
from marketplace.domain.journals.purchases import (
    payment_captured,
    refund_created,
    refund_decided,
    refund_failed,
    refund_settled,
    stripe_fee,
)

__all__ = [
    "carrier_paid",
    "chargeback_lost",
    "chargeback_withdrawn",
    "chargeback_won",
    "dispute_hold",
    "dispute_release",
    "order_completed",
    "payment_captured",
    "payout_created",
    "payout_failed",
    "payout_hold",
    "payout_paid",
    "payout_release",
    "receivable_netted",
    "refund_created",
    "refund_decided",
    "refund_failed",
    "refund_settled",
    "seller_writeoff",
    "stripe_fee",
    "topup",
    "transfer_created",
    "transfer_reversed",
    "unexplained",
]
