"""The published description of the API: OpenAPI, examples, code samples."""
