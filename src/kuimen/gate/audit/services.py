"""Use cases of the audit log, under one name for every other room."""

from kuimen.gate.audit.exploring import (
    CheckpointView,
    EntryFilter,
    EntryPage,
    EntryView,
    Proof,
    counts_by_action,
    entries,
    entries_of_view,
    entry,
    inclusion,
    latest_checkpoint,
    views_beginning,
)
from kuimen.gate.audit.exporting import ExportReport, export
from kuimen.gate.audit.recording import record, record_all, record_refusal
from kuimen.gate.audit.rules import SYSTEM, Actor, AuditSigner, EntryFacts, FactValue, Outcome
from kuimen.gate.audit.screening import Risk, RiskFinding, last_review, review, screen
from kuimen.gate.audit.sequencer import SequencerThread, carry_out, sequence_pending
from kuimen.gate.audit.sink import CheckpointSink

__all__ = [
    "SYSTEM",
    "Actor",
    "AuditSigner",
    "CheckpointSink",
    "CheckpointView",
    "EntryFacts",
    "EntryFilter",
    "EntryPage",
    "EntryView",
    "ExportReport",
    "FactValue",
    "Outcome",
    "Proof",
    "Risk",
    "RiskFinding",
    "SequencerThread",
    "carry_out",
    "counts_by_action",
    "entries",
    "entries_of_view",
    "entry",
    "export",
    "inclusion",
    "last_review",
    "latest_checkpoint",
    "record",
    "record_all",
    "record_refusal",
    "review",
    "screen",
    "sequence_pending",
    "views_beginning",
]
