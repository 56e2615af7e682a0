"""The Django application: face swaps, from the request of one to its end.

A package for each thing that it does; imports run downwards. Where what goes: docs/architecture.md.
"""
