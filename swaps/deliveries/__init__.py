"""Delivers our signed callbacks to callers of the API; the inspector receives them for a try."""
