"""The REST API below ``/face/``: authentication, calls, errors, and its OpenAPI description."""
