"""The documentation page of the API, made from its OpenAPI document, with a playground."""
