"""Marks pictures as made by AI, and detects the mark."""
