"""Stores mail in rows and sends it by a task, so that no request waits for a mail server."""
