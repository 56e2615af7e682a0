"""Providers, who perform swaps: their interface, and the site's own engine as one of them."""
