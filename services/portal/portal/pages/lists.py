"""What a client looks at: what is asked, how the work goes, documents, invoices."""

from typing import Any
from uuid import UUID

from flask import g, redirect, render_template, request
from werkzeug.wrappers import Response

from chassis.errors import DomainError
from portal.pages import web
from portal.pages.blueprint import pages
from portal.pages.brand import Brand
from portal.requests import queries, usecases


@pages.get("")
@pages.get("/")
def home() -> str:
    with web.work() as uow:
        g.brand = Brand.of(uow)
        return render_template(
            "home.html",
            asked=queries.asked(uow),
            handed_in=queries.handed_in(uow),
            clients=queries.client_names(uow),
            name=uow.principal.name,
        )


@pages.get("/work")
def jobs() -> str:
    with web.work() as uow:
        g.brand = Brand.of(uow)
        return render_template("jobs.html", jobs=queries.jobs(uow), clients=queries.client_names(uow))


@pages.get("/documents")
def documents() -> str:
    with web.work() as uow:
        g.brand = Brand.of(uow)
        return render_template("documents.html", documents=queries.documents(uow), clients=queries.client_names(uow))


@pages.get("/documents/<uuid:id>")
def download(id: UUID) -> Response:
    """On to the store, which answers an attachment."""
    with web.work() as uow:
        g.brand = Brand.of(uow)
        return redirect(usecases.download(uow, id), 303)


@pages.get("/invoices")
def invoices() -> str:
    with web.work() as uow:
        g.brand = Brand.of(uow)
        return render_template("invoices.html", invoices=queries.invoices(uow), clients=queries.client_names(uow))


@pages.get("/invoices/<uuid:id>")
def invoice(id: UUID) -> str:
    with web.work() as uow:
        g.brand = Brand.of(uow)
        found = usecases.invoice(uow, id)
        return render_template("invoice.html", invoice=found, paid=request.args.get("paid"))


@pages.post("/invoices/<uuid:id>/pay")
def pay(id: UUID) -> Any:
    """On to the card provider's page; why not is said on the invoice."""
    with web.work() as uow:
        g.brand = Brand.of(uow)
        try:
            return redirect(usecases.checkout(uow, id), 303)
        except DomainError as error:
            if error.status == 404:
                raise
            found = usecases.invoice(uow, id)
            return render_template("invoice.html", invoice=found, problem=error.message), error.status
