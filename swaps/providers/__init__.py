"""Who performs a swap: what goes in and comes out, and the site's own engine as a provider.

The hosted one is in ``swaps.hosted``.
"""
