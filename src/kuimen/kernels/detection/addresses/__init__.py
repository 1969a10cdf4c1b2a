"""Addresses from the region down to the door, and names of firms."""

from kuimen.kernels.detection.addresses.firms import recognise_firms
from kuimen.kernels.detection.addresses.recogniser import recognise_addresses

__all__ = ["recognise_addresses", "recognise_firms"]
