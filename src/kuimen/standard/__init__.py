"""The standards as data: clauses, elements, and the @control decorator."""

from kuimen.standard.clauses import Automatable, Catalogue, Clause, Group, Override, Status, Strength
from kuimen.standard.controls import (
    Control,
    Fact,
    Observation,
    Outcome,
    Probe,
    ProbeContext,
    ProbeResult,
    RegisteredProbe,
    control,
    registered_controls,
)
from kuimen.standard.loader import load_catalogue

__all__ = [
    "Automatable",
    "Catalogue",
    "Clause",
    "Control",
    "Fact",
    "Group",
    "Observation",
    "Outcome",
    "Override",
    "Probe",
    "ProbeContext",
    "ProbeResult",
    "RegisteredProbe",
    "Status",
    "Strength",
    "control",
    "load_catalogue",
    "registered_controls",
]
