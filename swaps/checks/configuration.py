"""System checks of settings: address, memory, storage limits and providers."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004

from swaps import images, net
from swaps.images import budget, cost, isolation
from swaps.models import Provider
from swaps.net.addresses import ParsedUrl, is_internal_name, is_public, parse_url
from swaps.storage import space

THIS_MACHINE, THIS_NETWORK, EVERYWHERE = range(3)
MAX_BATCH = 50  # a page that follows so many swaps names them in its URL
MAX_SIGNED_SECONDS = 7 * 24 * 3600  # Signature Version 4 allows no more


@register
def check_address(**_: Any) -> list[CheckMessage]:
    """Check that a public site uses https and shows no debug pages."""
    problems: list[CheckMessage] = []
    if not settings.SITE_URL.startswith(("http://", "https://")):
        problems.append(
            Error(
                f"SITE_URL={settings.SITE_URL!r} is not an http(s) address.",
                hint="Set it to where people open the site, like https://faces.example.org",
                id="swaps.E001",
            )
        )
    if settings.IS_LOCAL:
        return problems
    if not settings.IS_HTTPS:
        problems.append(
            Error(
                "SITE_URL is a public address without https: passwords and faces would travel "
                "in the open.",
                hint="Put a TLS proxy in front and set SITE_URL=https://…",
                id="swaps.E002",
            )
        )
    if settings.DEBUG:
        problems.append(
            Error(
                "DEBUG is on for a public address: error pages would show secrets.",
                hint="Unset DEBUG.",
                id="swaps.E003",
            )
        )
    return problems


@register
def check_decode_budget(**_: Any) -> list[CheckMessage]:
    """Check that the decode budget has room for the largest photo that the limits permit."""
    max_memory = cost.max_memory(
        min(settings.FACESWAP_MAX_PIXELS, images.MAX_PIXELS), settings.FACESWAP_MAX_UPLOAD_BYTES
    )
    needed = budget.slots(max_memory + isolation.CHILD_OVERHEAD_BYTES)
    if needed * budget.SLOT_BYTES <= settings.FACESWAP_DECODE_BYTES:
        return []
    return [
        Error(
            "FACESWAP_DECODE_MB is too little: the largest photos that FACESWAP_MAX_MEGAPIXELS "
            "permits could never be opened.",
            hint=f"Set it to {needed * budget.SLOT_BYTES // 1_000_000} at least, or lower "
            "FACESWAP_MAX_MEGAPIXELS.",
            id="swaps.E014",
        )
    ]


@register
def check_batch(**_: Any) -> list[CheckMessage]:
    """Check that a batch is small enough for the page that follows it."""
    if settings.FACESWAP_MAX_BATCH <= MAX_BATCH:
        return []
    return [
        Error(
            f"FACESWAP_MAX_BATCH={settings.FACESWAP_MAX_BATCH} is more than {MAX_BATCH}.",
            hint=f"Set it to {MAX_BATCH} at most; people may start several batches.",
            id="swaps.E026",
        )
    ]


@register
def check_fetch_allow(**_: Any) -> list[CheckMessage]:
    """Check that FACESWAP_FETCH_ALLOW can be parsed."""
    try:
        net.parse_allow_list(settings.FACESWAP_FETCH_ALLOW)
    except ValueError as error:
        return [
            Error(
                f"FACESWAP_FETCH_ALLOW: {error}",
                hint="List host, host:port or network, separated by commas.",
                id="swaps.E004",
            )
        ]
    return []


@register
def check_storage_limits(**_: Any) -> list[CheckMessage]:
    """Check that the storage limits leave space for pictures."""
    problems: list[CheckMessage] = []
    total, min_free = space.total_bytes(), settings.FACESWAP_MIN_FREE_BYTES
    if min_free and total is not None and total <= min_free:
        problems.append(
            Error(
                f"FACESWAP_MIN_FREE_MB={min_free // 1_000_000} is more than the whole disk, which "
                f"has {total // 1_000_000} MB: no picture would ever be accepted.",
                hint="Lower it, or move FACESWAP_VAR to a larger disk.",
                id="swaps.E021",
            )
        )
    account = settings.FACESWAP_ACCOUNT_BYTES
    if 0 < account < 2 * settings.FACESWAP_MAX_UPLOAD_BYTES:
        problems.append(
            Error(
                f"FACESWAP_ACCOUNT_MB={account // 1_000_000} is less than two photos of "
                "FACESWAP_MAX_UPLOAD_MB take.",
                hint="Raise it, or set it to 0 for no limit.",
                id="swaps.E022",
            )
        )
    return problems


@register
def check_providers(**_: Any) -> list[CheckMessage]:
    """Check that the providers that perform swaps can be reached, and can reach this site."""
    chosen = {
        "FACESWAP_PROVIDER": settings.FACESWAP_PROVIDER,
        "FACESWAP_API_PROVIDER": settings.FACESWAP_API_PROVIDER,
    }
    wrong: list[CheckMessage] = [
        Error(
            f"{name}={value!r} is no provider.",
            hint="Set it to embedded or to hosted.",
            id="swaps.E005",
        )
        for name, value in chosen.items()
        if value not in Provider.values
    ]
    if Provider.HOSTED not in chosen.values():
        return wrong
    return wrong + list(_check_hosted())


def _check_hosted() -> Iterator[CheckMessage]:
    if not settings.FACESWAP_HOSTED_KEY:
        yield Error(
            "A hosted provider is to be asked, but there is no key for it.",
            hint="Set FACESWAP_HOSTED_KEY, or FACESWAP_PROVIDER=embedded for the site's own "
            "engine.",
            id="swaps.E006",
        )
    if settings.HOSTED_URL_SECONDS > MAX_SIGNED_SECONDS:
        yield Error(
            "The links that the provider gets would have to work for more than 7 days.",
            hint="Lower FACESWAP_CALLBACK_DEADLINE.",
            id="swaps.E007",
        )
    try:
        net.parse_allow_list(settings.FACESWAP_HOSTED_RESULT_HOSTS)
    except ValueError as error:
        yield Error(
            f"FACESWAP_HOSTED_RESULT_HOSTS: {error}",
            hint="List host, host:port or network, separated by commas.",
            id="swaps.E008",
        )
    try:
        api, site = parse_url(settings.FACESWAP_HOSTED_URL), parse_url(settings.SITE_URL)
    except ValueError as error:  # the URL is not shown: it may hold a password
        yield Error(
            f"FACESWAP_HOSTED_URL: {error}",
            hint="Set it to where the provider is, like https://api.example.org",
            id="swaps.E009",
        )
        return
    yield from _check_addresses(api, site)


def _check_addresses(api: ParsedUrl, site: ParsedUrl) -> Iterator[CheckMessage]:
    if not api.is_https and _reachability(api) == EVERYWHERE:
        yield Error(
            "FACESWAP_HOSTED_URL is a public address without https: the key and all pictures would "
            "travel in the open.",
            hint="Set it to an address that begins with https://",
            id="swaps.E009",
        )
    if _is_this_site(api, site):
        yield Error(
            "FACESWAP_HOSTED_URL is this site itself: it would hand each swap to itself, for ever.",
            hint="Set it to another provider, or FACESWAP_PROVIDER=embedded for the site's own "
            "engine.",
            id="swaps.E010",
        )
    if _reachability(api) < EVERYWHERE and not (
        settings.FACESWAP_HOSTED_RESULT_HOSTS or settings.FACESWAP_FETCH_ALLOW
    ):
        yield Warning(
            "The hosted provider has a private address, and private addresses are closed: if its "
            "results lie there as well, no swap will succeed.",
            hint="Set FACESWAP_HOSTED_RESULT_HOSTS to where its results are, as host:port.",
            id="swaps.W002",
        )
    yield from _check_reachability(api, site)


def _check_reachability(api: ParsedUrl, site: ParsedUrl) -> Iterator[CheckMessage]:
    """Check that the provider can fetch the pictures and reach our callback."""
    try:
        pictures = _pictures_url(site)
    except ValueError as error:
        yield Error(
            f"The address of the bucket: {error}",
            hint="Look at AWS_S3_ENDPOINT_URL and AWS_S3_PUBLIC_ENDPOINT_URL.",
            id="swaps.E012",
        )
        return
    if pictures and _reachability(pictures) < _reachability(api):
        yield Error(
            f"The hosted provider cannot fetch the pictures: {pictures.host} is an address that it "
            "cannot reach.",
            hint="With pictures on disk set SITE_URL to the public address of the site; with a "
            "bucket AWS_S3_PUBLIC_ENDPOINT_URL to where others reach it. Or set "
            "FACESWAP_PROVIDER=embedded for the site's own engine, which needs neither.",
            id="swaps.E011",
        )
    elif _reachability(site) < _reachability(api):
        yield Warning(
            f"SITE_URL={settings.SITE_URL} is an address that the hosted provider cannot reach: "
            "its callbacks will not arrive. Each swap waits for FACESWAP_CALLBACK_DEADLINE, and "
            "is asked for then.",
            hint="Set SITE_URL to the public address of the site.",
            id="swaps.W001",
        )


def _is_this_site(api: ParsedUrl, site: ParsedUrl) -> bool:
    """Return whether the provider's URL is this site; what this misses, the site's API refuses."""
    is_below = f"{api.path.rstrip('/')}/".startswith(f"{site.path.rstrip('/')}/")
    if api.port != site.port or not is_below:
        return False
    if _reachability(api) == _reachability(site) == THIS_MACHINE:
        return True
    return api.host in {site.host, *settings.ALLOWED_HOSTS}


def _pictures_url(site: ParsedUrl) -> ParsedUrl | None:
    """Return where presigned URLs lead; None for a bucket at AWS, which is reachable everywhere."""
    if not settings.AWS_STORAGE_BUCKET_NAME:
        return site
    options = settings.STORAGES["default"]["OPTIONS"]
    url = options["public_endpoint_url"] or options["endpoint_url"]
    return parse_url(url) if url else None


def _reachability(target: ParsedUrl) -> int:
    """Return from how far a URL can be reached, judged by its host name."""
    if target.host == "localhost" or _is_loopback(target):
        return THIS_MACHINE
    if target.address:
        return EVERYWHERE if is_public(target.address) else THIS_NETWORK
    is_near = is_internal_name(target.host) or target.host.endswith(".test")
    return THIS_NETWORK if is_near else EVERYWHERE


def _is_loopback(target: ParsedUrl) -> bool:
    address = target.address  # 0.0.0.0 connects to this machine as well
    return bool(address and (address.is_loopback or address.is_unspecified))
