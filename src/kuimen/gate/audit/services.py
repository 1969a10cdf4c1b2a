"""Use cases of the audit log, under one name for every other room."""

from kuimen.gate.audit.recording import record, record_all, record_refusal
from kuimen.gate.audit.rules import SYSTEM, Actor, AuditSigner, EntryFacts, FactValue, Outcome

__all__ = [
    "SYSTEM",
    "Actor",
    "AuditSigner",
    "EntryFacts",
    "FactValue",
    "Outcome",
    "record",
    "record_all",
    "record_refusal",
]
