"""Version 1 of the HTTP API."""

from importlib.metadata import version

from ninja import NinjaAPI

from kuimen.entrypoints.api import (
    assessments,
    audit,
    cases,
    consents,
    documents,
    exchange,
    grants,
    inventory,
    keys,
    releases,
    retention,
    session,
    staff,
    standards,
    stewardship,
    tickets,
    tokens,
)
from kuimen.entrypoints.api.caller import SessionCaller, TokenCaller
from kuimen.entrypoints.api.problems import register_handlers

api = NinjaAPI(
    title="Kuimen 夔门 API",
    version="1",
    description=(
        "Everything is asked by reference; values come masked, or one field at a time with a reason. "
        f"Errors are application/problem+json. Kuimen {version('kuimen')}."
    ),
    auth=[TokenCaller(), SessionCaller()],
    docs_url=None,
    urls_namespace="api-v1",
)
register_handlers(api)
api.add_router("/session", session.router, tags=["session"])
api.add_router("/collections/cases", cases.router, tags=["collections"])
api.add_router("/staff", staff.router, tags=["staff"])
api.add_router("/consents", consents.router, tags=["consents"])
api.add_router("/documents", documents.router, tags=["documents"])
api.add_router("/grants", grants.router, tags=["grants"])
api.add_router("/approvals", tickets.router, tags=["approvals"])
api.add_router("/inventory", inventory.router, tags=["inventory"])
api.add_router("/inventory", stewardship.router, tags=["inventory"])
api.add_router("/audit", audit.router, tags=["audit"])
api.add_router("/assessments", assessments.router, tags=["assessments"])
api.add_router("/tokens", tokens.router, tags=["tokens"])
api.add_router("/exchange", exchange.router, tags=["exchange"])
api.add_router("/keys", keys.router, tags=["keys"])
api.add_router("/releases", releases.router, tags=["releases"])
api.add_router("/retention", retention.router, tags=["retention"])
api.add_router("/standards", standards.router, tags=["standards"])
