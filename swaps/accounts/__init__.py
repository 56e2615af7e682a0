"""Signing up, in and out; what proves an account's address, and what ends then."""
