"""Documents and statements over HTTP."""

import csv
import io
import json

import pytest

from marketplace.domain.identity import Role
from marketplace.domain.statements import Month
from tests.cashier import Cashier
from tests.till import Till

V1 = "/api/v1"


@pytest.fixture
def cashier(container, market):
    backend = container.backend
    return Cashier(
        Till(
            market=market,
            state=backend.provider_state(),
            inbox=backend.webhook_inbox(),
            queries=backend.payment_queries(),
            audit=backend.ledger_audit(),
            events=lambda: backend.store().events,
            refusals=backend.webhook_refusals(),
            sweeps=backend.event_sweeps(),
        )
    )


@pytest.fixture
def issue(container):
    return container.documents.issue()


@pytest.fixture
def admin(market, sign_in):
    return sign_in(market.someone(roles=[Role.ADMIN]))


def the_buyer(cashier, order_id):
    return cashier.market.people[cashier.till.order(order_id).buyer_id]


class TestInvoices:
    def test_are_there_once_the_payment_is_known(self, client, sign_in, cashier, container):
        order_id = cashier.paid(cashier.seller())
        headers = sign_in(the_buyer(cashier, order_id))
        waiting = client.get(f"{V1}/orders/{order_id}/invoice/", headers=headers)
        assert (waiting.status_code, waiting.json["code"]) == (409, "invoice_not_ready")
        container.relay_events()()
        found = client.get(f"{V1}/orders/{order_id}/invoice/", headers=headers)
        assert (found.status_code, found.content_type) == (200, "application/pdf")
        assert found.data.startswith(b"%PDF-")
        assert found.headers["Content-Disposition"].startswith('inline; filename="INV-')
        again = client.get(
            f"{V1}/orders/{order_id}/invoice/", headers={**headers, "If-None-Match": found.headers["ETag"]}
        )
        assert (again.status_code, again.data) == (304, b"")

    def test_are_listed_with_the_credit_notes(self, client, sign_in, cashier, issue):
        order_id = cashier.paid(cashier.seller(), price=10_000)
        cashier.refund(order_id)
        issue.everything_of(order_id)
        headers = sign_in(the_buyer(cashier, order_id))
        note, invoice = client.get(f"{V1}/orders/{order_id}/documents/", headers=headers).json["results"]
        assert (invoice["kind"], invoice["total"], invoice["fees"], invoice["vat"]) == (
            "order_invoice",
            "121.00",
            "11.00",
            "1.83",
        )
        assert (note["kind"], note["refers_to"], note["vat_percent"]) == ("credit_note", invoice["number"], "0.20")
        kept = json.loads(client.get(f"{V1}/users/me/export/", headers=headers).data)["documents"]
        assert [one["number"] for one in kept] == [note["number"], invoice["number"]]
        assert all(one["recipient"]["name"] for one in kept)
        path = f"{V1}/orders/{order_id}/documents/{note['id']}/"
        assert client.get(path, headers=headers).data.startswith(b"%PDF-")
        other = cashier.paid(cashier.seller())
        elsewhere = f"{V1}/orders/{other}/documents/{note['id']}/"
        assert client.get(elsewhere, headers=sign_in(the_buyer(cashier, other))).status_code == 404

    def test_whoever_opens_another_s_is_recorded(self, client, admin, cashier, issue, container):
        order_id = cashier.due(cashier.seller())
        invoice, fees = issue.everything_of(order_id)
        assert client.get(f"{V1}/orders/{order_id}/invoice/", headers=admin).status_code == 200
        assert client.get(f"{V1}/admin/documents/{fees.id}/", headers=admin).status_code == 200
        read = client.get(f"{V1}/admin/audit/?action=document.read", headers=admin).json["results"]
        assert [entry["subject"]["id"] for entry in read] == [fees.number, invoice.number]

    def test_administrators_find_all_of_them(self, client, admin, cashier, issue):
        seller = cashier.seller()
        order_id = cashier.due(seller)
        invoice, fees = issue.everything_of(order_id)

        def found(query=""):
            return [
                each["number"] for each in client.get(f"{V1}/admin/documents/{query}", headers=admin).json["results"]
            ]

        assert found() == [fees.number, invoice.number]
        assert found("?kind=fee_invoice") == found(f"?account={seller.account_id}") == [fees.number]
        assert found(f"?order={order_id}&to=2000-01-01T00:00:00Z") == []
        assert found("?from=2000-01-01T00:00:00Z") == [fees.number, invoice.number]
        assert client.get(f"{V1}/admin/documents/?kind=bill", headers=admin).status_code == 422


class TestStatements:
    def test_are_read_in_three_forms(self, client, sign_in, cashier):
        seller = cashier.seller()
        headers = sign_in(seller)
        cashier.refund(cashier.paid(seller, price=10_000), "25.00")
        month = str(Month.of(cashier.market.clock.now()))
        (listed,) = client.get(f"{V1}/sellers/me/statements/", headers=headers).json["results"]
        assert listed == {
            "month": month,
            "is_final": False,
            "currency": "EUR",
            "opening_balance": "0.00",
            "closing_balance": "71.25",
        }
        path = f"{V1}/sellers/me/statements/{month}/"
        found = client.get(path, headers=headers).json
        assert [(entry["kind"], entry["amount"]) for entry in found["entries"]] == [
            ("sale", "100.00"),
            ("commission", "-5.00"),
            ("refund", "-25.00"),
            ("commission_back", "1.25"),
        ]
        assert found["standing"] == {"pending": "71.25", "on_hold": "0.00", "payable": "0.00", "receivable": "0.00"}
        table = client.get(f"{path}?format=csv", headers=headers)
        assert table.content_type == "text/csv; charset=utf-8"
        assert [row["balance"] for row in csv.DictReader(io.StringIO(table.text))][-1] == "71.25"
        pages = client.get(f"{path}?format=pdf", headers=headers)
        assert (pages.content_type, pages.data[:5]) == ("application/pdf", b"%PDF-")
        assert pages.headers["Content-Disposition"] == f'attachment; filename="statement-{month}.pdf"'

    @pytest.mark.parametrize("month", ["2026-13", "2026-1", "1999-12", "x", "2026-01-01"])
    def test_a_month_is_written_in_one_way(self, client, sign_in, cashier, month):
        answer = client.get(f"{V1}/sellers/me/statements/{month}/", headers=sign_in(cashier.seller()))
        assert (answer.status_code, answer.json["code"]) == (422, "validation_error")

    def test_there_are_no_other_forms(self, client, sign_in, cashier):
        answer = client.get(f"{V1}/sellers/me/statements/2026-01/?format=xls", headers=sign_in(cashier.seller()))
        assert answer.status_code == 422
