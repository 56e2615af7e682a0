"""Fills in the forms of accounts as a visitor does, and finds the links that are mailed."""

import re
from typing import Any

from django.core import mail
from django.test import Client
from django.urls import reverse

PASSWORD, OTHER = "correct horse battery", "another fine long phrase"


def sign_up(email: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post(reverse("account_signup"), {"email": email, "password1": password})
    return client


def sign_in(email: str, password: str) -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": email, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("swaps:history")).status_code == 200


def mailed_link(kind: str, to: str) -> str:
    """Return the newest link of a kind that was mailed to this address."""
    found = [
        match[0]
        for message in mail.outbox
        if message.to == [to] and (match := re.search(rf"/accounts/{kind}/\S+", str(message.body)))
    ]
    return found[-1] if found else ""


def reset_link(email: str) -> str:
    Client().post(reverse("account_reset_password"), {"email": email})
    return mailed_link("password/reset/key", email)


def reset(url: str, password: str = OTHER, **fields: str) -> Any:
    client = Client()
    form = client.get(url, follow=True)
    assert form.status_code == 200
    path = form.redirect_chain[-1][0]
    passwords = {"password1": password, "password2": password}
    return client.post(path, {**passwords, **fields}, follow=True)
