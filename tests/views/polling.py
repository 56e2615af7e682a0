"""Finds the URL by which the history polls."""

import re

from django.test import Client
from django.urls import reverse

HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/swaps/"}


def poll_url(client: Client) -> str:
    page = client.get(reverse("swaps:history")).content.decode()
    found = re.search(r'hx-get="(/swaps/updates/[^"]+)"', page)
    assert found, "the page does not poll"
    return found[1].replace("&amp;", "&")
