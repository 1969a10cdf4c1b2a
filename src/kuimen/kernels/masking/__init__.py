"""Masks for every data element: one value, a column, or findings inside a text."""

from kuimen.kernels.masking.columns import mask
from kuimen.kernels.masking.errors import MaskTypeError, SpanError
from kuimen.kernels.masking.free_text import Span, mask_free_text
from kuimen.kernels.masking.values import mask_value

__all__ = ["MaskTypeError", "Span", "SpanError", "mask", "mask_free_text", "mask_value"]
