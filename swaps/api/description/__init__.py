"""Describes the API: the OpenAPI document, its examples, and samples in six languages."""
