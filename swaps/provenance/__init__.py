"""Marks a picture as made by AI, and finds the mark again."""
