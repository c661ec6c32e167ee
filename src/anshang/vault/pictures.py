"""Photographs as they may be kept: small, and without a word of where, when and by whose device."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from anshang.foundation.errors import BadInput

SIDE_PX_MAX = 1600
PIXELS_MAX = 60_000_000
QUALITY = 82
FORMATS = ("JPEG", "PNG", "WEBP")


def plain_jpeg(content: bytes) -> bytes:
    """The picture upright, at most 1600 px a side, as a JPEG of its pixels alone; BadInput for anything else
    than a JPEG, PNG or WebP of at most 60 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit is below the one it warns of
            with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
                if opened.width * opened.height > PIXELS_MAX:
                    raise _unreadable()
                opened.draft("RGB", (SIDE_PX_MAX, SIDE_PX_MAX))
                upright = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise _unreadable() from None
    upright.thumbnail((SIDE_PX_MAX, SIDE_PX_MAX))
    bare = Image.frombytes("RGB", upright.size, upright.tobytes())
    written = io.BytesIO()
    bare.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def _unreadable() -> BadInput:
    return BadInput(
        "photo.unreadable",
        en="This is no photograph: a JPEG, PNG or WebP of at most 60 megapixels is one.",
        zh="无法识别为照片：仅支持 JPEG、PNG、WebP，且不超过 6000 万像素。",
    )
