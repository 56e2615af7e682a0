"""Identifies a file's type by its first bytes. Standard library only."""

PICTURE_TYPES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "TIFF": (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
    "JPEG XL": (b"\xff\x0a", b"\x00\x00\x00\x0cJXL "),
    "JPEG 2000": (b"\x00\x00\x00\x0cjP  ", b"\xff\x4f\xff\x51"),
    "Photoshop": (b"8BPS",),
    "ICO": (b"\x00\x00\x01\x00", b"\x00\x00\x02\x00"),
}
OTHER_TYPES = {
    "PDF document": (b"%PDF-",),
    "ZIP archive": (b"PK\x03\x04",),
}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1"}
AVIF_BRANDS = {b"avif", b"avis"}


def identify(data: bytes) -> str:
    """Return the type: a key of PICTURE_TYPES or OTHER_TYPES, "WebP", "HEIC" and so on, or ""."""
    head = data[:1024]
    for name, beginnings in (PICTURE_TYPES | OTHER_TYPES).items():
        if head.startswith(beginnings):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        return _identify_ftyp(head)
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(b"<"):
        return "SVG" if b"<svg" in text else "web page"
    return ""


def _identify_ftyp(head: bytes) -> str:
    box = head[8 : int.from_bytes(head[:4])]
    brands = {box[i : i + 4] for i in range(0, len(box), 4)}
    if brands & AVIF_BRANDS:
        return "AVIF"
    return "HEIC" if brands & HEIC_BRANDS else "video"
