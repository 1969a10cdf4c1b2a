"""Chapter 6: general areas."""
