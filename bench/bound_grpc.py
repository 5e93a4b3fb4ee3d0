"""The bound of `question`: a bare gRPC method that reads one invoice by raw SQL. The port goes to standard output."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from psycopg_pool import ConnectionPool

from praxis.common.v1.types_pb2 import Money
from praxis.timebilling.v1 import timebilling_pb2 as tb


def main(url: str, firm: str) -> None:
    pool = ConnectionPool(url, min_size=10, max_size=10, open=True)

    def get_invoice(request: Any, _context: Any) -> Any:
        with pool.connection() as connection:
            row = connection.execute(
                "SELECT client_id, number, issued_on, due_on, net, total, paid, currency FROM invoices WHERE firm_id = %s AND id = %s",
                (firm, request.invoice_id),
            ).fetchone()
            lines = connection.execute(
                "SELECT description, quantity, net FROM invoice_lines WHERE firm_id = %s AND invoice_id = %s ORDER BY position",
                (firm, request.invoice_id),
            ).fetchall()
        assert row is not None
        client, number, issued, due, net, total, paid, currency = row

        def money(amount: Any) -> Any:
            return Money(amount=str(amount), currency=currency)

        return tb.GetInvoiceResponse(
            invoice_id=request.invoice_id, client_id=str(client), number=number, issued_on=str(issued), due_on=str(due),
            net=money(net), total=money(total), paid=money(paid), balance=money(total - paid),
            lines=[tb.InvoiceLine(description=d, quantity=str(q), net=money(n)) for d, q, n in lines],
        )  # fmt: skip

    handler = grpc.unary_unary_rpc_method_handler(
        get_invoice,
        request_deserializer=tb.GetInvoiceRequest.FromString,
        response_serializer=lambda m: m.SerializeToString(),
    )
    server = grpc.server(ThreadPoolExecutor(10))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("praxis.timebilling.v1.Timebilling", {"GetInvoice": handler})]
    )
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
