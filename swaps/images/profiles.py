"""Builds ICC profiles for pictures whose colour space is given by numbers. Standard library only.

The numbers may be code points of ITU-T H.273 (PNG's cICP, HEIC's nclx), chromaticities and gamma
(PNG's cHRM and gAMA), or EXIF's mark of Adobe RGB. Each becomes a profile with matrix and tone
curves (ICC.1), so that every conversion to sRGB uses a profile.
"""

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from swaps.images.exif import is_adobe_rgb

_SAMPLES = 1021  # of a curve: 4 · 255 + 1, so that each 8-bit value hits one

Curve = Callable[[float], float]  # stored value → linear light, both 0…1
XY = tuple[float, float]
Vector = tuple[float, float, float]


class Primaries(NamedTuple):
    """The white point and primaries of a colour space, as CIE 1931 chromaticities."""

    white: XY
    red: XY
    green: XY
    blue: XY


_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_SMPTE_170M = Primaries(_D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070))
SRGB = Primaries(_D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_ADOBE_RGB = SRGB._replace(green=(0.210, 0.710))
_PRIMARIES = {  # H.273, table 2
    1: SRGB,
    4: Primaries(_C, (0.670, 0.330), (0.210, 0.710), (0.140, 0.080)),
    5: SRGB._replace(green=(0.290, 0.600)),
    6: _SMPTE_170M,
    7: _SMPTE_170M,
    8: Primaries(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: Primaries(_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    10: Primaries((1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: Primaries(_DCI, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: Primaries(_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Primaries(_D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


# --- Curves ---------------------------------------------------------------------------------------


def _power(gamma: float) -> Curve:
    return lambda value: value**gamma


def _srgb(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _bt709(value: float) -> float:
    return value / 4.5 if value < 0.081 else ((value + 0.0993) / 1.0993) ** (1 / 0.45)


def _smpte_240m(value: float) -> float:
    return value / 4 if value < 0.0912 else ((value + 0.1115) / 1.1115) ** (1 / 0.45)


def _logarithmic(decades: float) -> Curve:
    return lambda value: 10 ** (decades * (value - 1)) if value > 0 else 0.0


# HDR values are absolute luminances in cd/m². Diffuse white is 203 (BT.2408); what is brighter,
# up to 1000, is compressed (Reinhard), as browsers do on an SDR screen.
_WHITE, _PEAK = 203.0, 1000.0


def _tone_map(candela: float) -> float:
    """Return the SDR value, 0…1, of a luminance in cd/m²."""
    light, peak = candela / _WHITE, _PEAK / _WHITE
    return min(1.0, light * (1 + light / peak**2) / (1 + light))


def _pq(value: float) -> float:
    root = value ** (32 / 2523)
    light = max(0.0, root - 107 / 128) / (2413 / 128 - 2392 / 128 * root)
    return _tone_map(10_000 * light ** (8192 / 1305))


def _hlg(value: float) -> float:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = value * value / 3 if value <= 0.5 else (math.exp((value - c) / a) + b) / 12
    return _tone_map(_PEAK * min(1.0, scene) ** 1.2)


_CURVES: dict[int, Curve] = {  # H.273, table 3
    **dict.fromkeys((1, 6, 11, 12, 14, 15), _bt709),
    4: _power(2.2),
    5: _power(2.8),
    7: _smpte_240m,
    8: _power(1.0),
    9: _logarithmic(2.0),
    10: _logarithmic(2.5),
    13: _srgb,
    16: _pq,
    17: lambda value: min(1.0, 52.37 / 48 * value**2.6),
    18: _hlg,
}


# --- Profiles from numbers ------------------------------------------------------------------------


def adobe_rgb(*, is_grey: bool = False) -> bytes:
    """Return a profile of Adobe RGB (1998), or of grey with its gamma."""
    return _profile(_ADOBE_RGB, _power(563 / 256), is_grey=is_grey)


def profile_candidates(icc: bytes | None, exif: bytes | None) -> tuple[bytes, ...]:
    """Return the profiles to try: the file's own, then Adobe RGB if EXIF says so."""
    return tuple(filter(None, (icc, adobe_rgb() if is_adobe_rgb(exif) else None)))


def from_code_points(
    primaries: int, transfer: int, *, is_full_range: bool = True, is_grey: bool = False
) -> bytes | None:
    """Return a profile for code points of H.273; None for unspecified and reserved ones."""
    if primaries not in _PRIMARIES or transfer not in _CURVES:
        return None
    curve = _CURVES[transfer]
    if is_full_range:
        return _profile(_PRIMARIES[primaries], curve, is_grey=is_grey)

    def from_narrow_range(value: float) -> float:
        return curve(min(1.0, max(0.0, (255 * value - 16) / 219)))

    return _profile(_PRIMARIES[primaries], from_narrow_range, is_grey=is_grey)


def png_profile_candidates(
    chunks: Mapping[bytes, bytes], exif: bytes, *, is_grey: bool
) -> tuple[bytes, ...]:
    """Return the profiles to try in PNG's order: cICP, iCCP (decompressed), sRGB, gAMA with cHRM.

    See section 4.3. Chunks of a wrong length, or with nonsensical values, are ignored.
    """
    found = [_from_cicp(chunks.get(b"cICP", b""), is_grey=is_grey), chunks.get(b"iCCP")]
    if len(chunks.get(b"sRGB", b"")) != 1:
        found.append(
            _from_gamma(chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b""), is_grey=is_grey)
        )
        if is_adobe_rgb(exif) and not found[-1]:
            found.append(adobe_rgb(is_grey=is_grey))
    return tuple(filter(None, found))


def _from_cicp(body: bytes, *, is_grey: bool) -> bytes | None:
    if len(body) != 4 or body[2] != 0 or body[3] > 1:  # PNG pixels are RGB: matrix coefficients 0
        return None
    return from_code_points(body[0], body[1], is_full_range=bool(body[3]), is_grey=is_grey)


def _from_gamma(gamma: bytes, chromaticities: bytes, *, is_grey: bool) -> bytes | None:
    """Return a profile of gAMA and cHRM; PNG writes sRGB as a gamma of 0.45455."""
    encoding = int.from_bytes(gamma) / 100_000 if len(gamma) == 4 else 0.0
    is_gamma = 0.1 <= encoding <= 10
    curve = _power(1 / encoding) if is_gamma and not 0.45 <= encoding <= 0.46 else _srgb
    primaries = SRGB
    if len(chromaticities) == 32:
        xys = [(x / 100_000, y / 100_000) for x, y in struct.iter_unpack(">II", chromaticities)]
        primaries = Primaries(*xys)
    elif not is_gamma:
        return None
    try:
        return _profile(primaries, curve, is_grey=is_grey)
    except (ArithmeticError, struct.error):  # chromaticities that span no triangle
        return None


def _profile(primaries: Primaries, curve: Curve, *, is_grey: bool) -> bytes:
    light = [round(65_535 * curve(at / (_SAMPLES - 1))) for at in range(_SAMPLES)]
    shape = struct.pack(f">4s4xI{_SAMPLES}H2x", b"curv", _SAMPLES, *light)
    if is_grey:
        return _icc(b"GRAY", {b"kTRC": shape})
    colours = zip((b"rXYZ", b"gXYZ", b"bXYZ"), _columns(primaries), strict=True)
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), shape)
    return _icc(b"RGB ", {name: _xyz(colour) for name, colour in colours} | curves)


def _icc(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Return the bytes of an ICC profile; tags with equal contents share them."""
    tags = {b"wtpt": _xyz(_D50)} | tags
    places: dict[bytes, int] = {}  # tags with the same contents share them
    body = b""
    start = 132 + 12 * len(tags)
    for content in tags.values():
        if content not in places:
            places[content] = start + len(body)
            body += content
    table = b"".join(
        struct.pack(">4sII", name, places[content], len(content)) for name, content in tags.items()
    )
    head = struct.pack(
        ">I4xI4s4s4s12x4s28x3i48xI",
        *(start + len(body), 0x02400000, b"mntr", space, b"XYZ ", b"acsp"),
        *_fixed(_D50),
        len(tags),
    )
    return head + table + body


def _xyz(value: Iterable[float]) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *_fixed(value))


def _fixed(value: Iterable[float]) -> list[int]:
    return [round(65_536 * part) for part in value]


# --- Chromaticities to XYZ ------------------------------------------------------------------------

_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD: Sequence[Vector] = (
    (0.8951, 0.2664, -0.1614),
    (-0.7502, 1.7135, 0.0367),
    (0.0389, -0.0685, 1.0296),
)
_BRADFORD_COLUMNS: Sequence[Vector] = list(zip(*_BRADFORD, strict=True))


def _columns(primaries: Primaries) -> list[Vector]:
    """Return red, green and blue in XYZ, adapted to D50 (Bradford), scaled to add up to white."""
    x, y = primaries.white
    white = (x / y, 1.0, (1 - x - y) / y)
    colours = [(x, y, 1 - x - y) for x, y in primaries[1:]]
    shares = _solve(colours, white)
    before, after = _times(_BRADFORD, white), _times(_BRADFORD, _D50)
    adapted = []
    for colour, share in zip(colours, shares, strict=True):
        cones = _times(_BRADFORD, colour)
        red, green, blue = (share * c * a / b for c, a, b in zip(cones, after, before, strict=True))
        adapted.append(_solve(_BRADFORD_COLUMNS, (red, green, blue)))
    return adapted


def _times(rows: Sequence[Vector], vector: Vector) -> Vector:
    one, two, three = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows)
    return (one, two, three)


def _solve(columns: Sequence[Vector], vector: Vector) -> Vector:
    """Return the factors with which the columns add up to the vector (Cramer's rule)."""
    one, two, three = columns
    whole = _determinant(one, two, three)
    return (
        _determinant(vector, two, three) / whole,
        _determinant(one, vector, three) / whole,
        _determinant(one, two, vector) / whole,
    )


def _determinant(a: Vector, b: Vector, c: Vector) -> float:
    return (
        a[0] * (b[1] * c[2] - b[2] * c[1])
        - b[0] * (a[1] * c[2] - a[2] * c[1])
        + c[0] * (a[1] * b[2] - a[2] * b[1])
    )
