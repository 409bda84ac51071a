"""Fee rules, and fees that were charged by them, as JSON columns hold them: rates as text, amounts in minor units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from marketplace.domain.fees import AppliedFee, FeeComponent, FeePart, FeePayer, FeeRule


def rule_json(rule: FeeRule) -> dict[str, Any]:
    return {
        "component": rule.component.value,
        "payer": rule.payer.value,
        "percent": f"{rule.percent:f}",
        "fixed": rule.fixed,
        "floor": rule.floor,
        "cap": rule.cap,
        "account_type": rule.account_type,
        "seller": rule.seller_id,
        "category": rule.category_id,
    }


def rule_of(stored: Mapping[str, Any]) -> FeeRule:
    return FeeRule(
        component=FeeComponent(stored["component"]),
        payer=FeePayer(stored["payer"]),
        percent=Decimal(stored["percent"]),
        fixed=stored["fixed"],
        floor=stored["floor"],
        cap=stored["cap"],
        account_type=stored["account_type"],
        seller_id=stored["seller"],
        category_id=stored["category"],
    )


def fee_json(fee: AppliedFee) -> dict[str, Any]:
    return {
        "rule": rule_json(fee.rule),
        "amount": fee.amount,
        "parts": [{"seller": part.seller_id, "base": part.base, "share": part.share} for part in fee.parts],
    }


def fee_of(stored: Mapping[str, Any], currency: str) -> AppliedFee:
    return AppliedFee(
        rule=rule_of(stored["rule"]),
        currency=currency,
        amount=stored["amount"],
        parts=tuple(
            FeePart(seller_id=part["seller"], base=part["base"], share=part["share"]) for part in stored["parts"]
        ),
    )
