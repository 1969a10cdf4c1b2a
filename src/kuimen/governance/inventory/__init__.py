"""Data sources and the asset directory."""
