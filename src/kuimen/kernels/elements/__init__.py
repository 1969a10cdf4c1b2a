"""The data elements of personal financial information: names, checks, rules."""

from kuimen.kernels.elements.model import (
    Category,
    CombinationRule,
    Display,
    Element,
    ElementRule,
    RetentionClass,
    Storage,
    Transfer,
)
from kuimen.kernels.elements.table import COMBINATIONS, ELEMENT_TABLE, TABLE_VERSION, rule_of

__all__ = [
    "COMBINATIONS",
    "ELEMENT_TABLE",
    "TABLE_VERSION",
    "Category",
    "CombinationRule",
    "Display",
    "Element",
    "ElementRule",
    "RetentionClass",
    "Storage",
    "Transfer",
    "rule_of",
]
