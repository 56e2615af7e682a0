"""Accounts and what opens them: sign-up, proof of the mailbox, API keys, limits on attempts."""
