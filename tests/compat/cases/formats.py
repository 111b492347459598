"""Section 5: recognition, formats in and out, damage, metadata, /info, type=auto, and 4.0.11–13, colour and encoding."""

from harness.model import Expect, fixture, suite
from harness.picture import Picture

R = suite("5.1 recognition")
F = suite("5 formats in and out")
D = suite("5.2 damaged files")
M = suite("5.3 metadata")
I = suite("5.4 info")
A = suite("5.5 type=auto")
E = suite("4.0.13 encoding")
C = suite("4.0.11 colour and flatten")

READ = ("photo.jpg progressive.jpg 444.jpg 422.jpg grey.jpg cmyk.jpg metadata.jpg rgb.png rgba.png grey.png grey-alpha.png rgb16.png grey16.png bits1.png "
        "interlaced.png palette.png palette-trns.png icc.png lossy.webp lossless.webp alpha.webp metadata.webp animated.webp static.gif transparent.gif animated.gif rgb.tiff "
        "lzw.tiff grey.tiff rgba.tiff rgb16.tiff pages.tiff size.svg viewbox.svg text.svg").split()
VECTOR = {"size.svg": 22, "viewbox.svg": 22, "text.svg": 14}  # antialiasing and fonts differ between rasterisers
STUBS = ("garbage.bin", "stub.pdf", "stub.heic", "stub.avif")

for name in READ:
    for kind in ("jpeg", "png", "webp", "tiff", ""):
        for query in (f"/convert?type={kind}", f"/resize?width=75&type={kind}"):
            if not kind and query.startswith("/convert"):
                continue
            cannot = not kind and name.endswith((".gif", ".svg"))
            rest = {"floor": VECTOR[name]} if name in VECTOR else {"floor": 27} if kind == "webp" and "16" in name else {}
            if name == "bits1.png":
                rest["floor"] = 25
            # The reference turns CMYK by a press profile of its own, which it then keeps in TIFF.
            if name == "cmyk.jpg":
                rest["free"] = Expect(status=200, format=(kind or "jpeg").upper(), alpha=False, icc=False)
            fix = name.startswith("rgb16") and kind == "tiff" or kind == "tiff" and name == "grey16.png"
            F.post(query, name, exact=query.startswith("/convert"), why="every format in and out", **{"free": Expect(status=200) if cannot or fix else (), **rest})
for name in ("animated.webp", "animated.gif", "pages.tiff"):
    F.post("/convert?type=png", name, exact=True, floor=30 if "webp" in name else 0, must=Expect(size=(96, 64)), why="the first frame")

# Recognition goes by content.
for name in ("rgb.png", "photo.jpg", "lossy.webp", "rgb.tiff", "static.gif", "size.svg"):
    for kind in ("text/plain", "image/jpeg", "application/json", "image/png", "x", "image/svg+xml; charset=utf-8"):
        R.post("/convert?type=png", name, type=kind, floor=22 if name == "size.svg" else 0, why="content decides, never the header")
    R.post("/convert?type=png", name, headers=[("Content-Disposition", "attachment; filename=a.exe")], floor=22 if name == "size.svg" else 0)
for name in STUBS:
    for path in ("/resize?width=10", "/info", "/convert?type=png"):
        R.post(path, name, free=() if name == "garbage.bin" else Expect(status=(400, 406)), why="not read by this build: 406 or 400")
for body, why in ((b"x", "one byte"), (b"hello world, this is text", "text"), (b"<html><body>hi</body></html>", "HTML"), (b"<?xml version='1.0'?><a/>", "XML that is no SVG"), (b"{}" * 20, "JSON"),
                  (b"\0" * 64, "zeros"), (b"BM" + b"\0" * 60, "BMP (NEW)"), (b"\0\0\1\0\1\0" + b"\0" * 60, "ICO (NEW)"), (b"PK\3\4" + b"\0" * 60, "ZIP"), (b"#!/bin/sh\n" * 5, "script"),
                  (b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 40, "JPEG XL (NEW)"), (b"\x1f\x8b\x08" + b"\0" * 60, "gzip"), (b"ID3" + b"\0" * 60, "MP3"), (b"RIFF\x10\0\0\0WAVE" + b"\0" * 40, "another RIFF")):
    R.post("/resize?width=10", body, why=why, free=Expect(status=(400, 406)) if "NEW" in why or "XML" in why else ())
for magic in (b"\xff\xd8\xff", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"GIF87a", b"RIFF\x10\0\0\0WEBPVP8 ", b"II*\0", b"MM\0*", b"%PDF-1.7"):
    R.post("/resize?width=10", magic + b"\x55" * 60, free=Expect(status=(400, 406)), why="garbage behind a magic")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><rect width="20" height="10" fill="red"/></svg>'
for lead in (b"", b"\n\n  ", b'<?xml version="1.0"?>\n', b"<!-- note -->\n", b"\xef\xbb\xbf", b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'):
    R.post("/convert?type=png", lead + SVG, floor=30, free=Expect(status=(200, 406)) if lead.startswith((b"\xef", b"<!-- ")) else (), why="text that is an SVG document")

for name in ("truncated.jpg", "header-only.jpg", "truncated.png", "truncated.webp"):
    for query in ("/resize?width=100", "/convert?type=png", "/info", "/crop?width=50&height=50", "/autorotate"):
        served = name == "truncated.jpg"
        options = Expect(status=400) if not served and query != "/info" else Expect(status=(200, 400)) if not served else ()
        D.post(query, name, free=options, floor=20, slack=1, why="truncated JPEG is served, others 400")
whole = fixture("progressive.jpg")
for cut in (3, 30, 90):
    data = fixture("444.jpg")
    D.post("/resize?width=100", data[: len(data) * cut // 100], free=Expect(status=400) if cut == 3 else (), floor=18, why=f"{cut} % of a JPEG", recordable=False)
    D.post("/resize?width=100", whole[: len(whole) * cut // 100], free=Expect(status=(200, 400)), floor=18, why=f"{cut} % of a progressive JPEG", recordable=False)
for name in ("static.gif", "rgb.tiff", "lossless.webp", "rgb.png"):
    data = fixture(name)
    D.post("/resize?width=100&type=png", data[: len(data) // 2], free=(Expect(status=400), Expect(status=200)), pixels="skip", why="half of a file: never a crash", recordable=False)

# Metadata. The fields are checked on the answer: presence of ICC, EXIF and its parts.
for name, kind in (("metadata.jpg", "jpeg"), ("icc.png", "png"), ("metadata.webp", "webp")):
    for path in ("/resize?width=100", "/convert?", "/crop?width=100&height=90", "/rotate?rotate=90"):
        join = path + ("&" if path[-1] != "?" else "")
        for out in ("jpeg", "png", "webp"):
            M.post(f"{join}type={out}", name, fix=Expect(status=200, icc=True, exif=True, orientation=1), why="kept by default")
            M.post(f"{join}type={out}&noprofile=true", name, fix=Expect(status=200, icc=False, exif=True), why="noprofile drops the ICC profile only")
            M.post(f"{join}type={out}&stripmeta=true", name, fix=Expect(status=200, icc=False, exif=False), why="stripmeta drops all")
        M.post(f"{join}type={kind}&colorspace=bw", name, why="grey output drops an RGB profile", free=Expect(status=200, icc=False))
    M.post(f"/convert?type={kind}", name, fix=Expect(status=200, format=kind.upper(), pixels=lambda p: None if not p.thumbnail else "the thumbnail of the source is shipped"), why="embedded previews are dropped")
    M.post(f"/autorotate", name, fix=Expect(status=200, icc=True, exif=True), why="autorotate keeps metadata")
M.post("/convert?type=png", "metadata.jpg", exact=True, why="pixels of a wide-gamut source keep their numbers")
M.post("/convert?type=png&noprofile=true", "metadata.jpg", exact=True, why="no conversion with noprofile either")
M.post("/convert?type=png&stripmeta=true", "icc.png", exact=True, why="no conversion with stripmeta either")
M.post("/convert?type=tiff", "icc.png", exact=True, free=Expect(status=200, icc=True))
M.post("/convert?type=tiff&stripmeta=true", "metadata.jpg", fix=Expect(status=200, icc=False), why="FIX: stripmeta on TIFF")
M.post("/resize?width=100", "metadata.jpg", fix=Expect(status=200, pixels=lambda p: None if p.gps else "GPS lost"), why="EXIF is kept")
M.post("/resize?width=20&stripmeta=true", "metadata-6.jpg", fix=Expect(status=200, icc=False, exif=False, size=(20, 27)), why="FIX: strongly shrunk, turned")
M.post("/resize?width=20", "metadata-6.jpg", fix=Expect(status=200, icc=True, exif=True, orientation=1, size=(20, 27)), why="FIX: strongly shrunk, turned")

for name in READ + ["exif-6.jpg", "truncated.jpg", "tiny-1x1.jpg", "tiny-1000x1.png", "mark.png", "metadata-6.jpg"]:
    I.post("/info", name, must=Expect(status=200), free=Expect(status=200, json={"type": "svg"}) if name == "viewbox.svg" else (), why="the JSON, to the byte")
I.post("/info?width=100&type=png&stripmeta=true", "exif-6.jpg", why="parameters change nothing")
I.post("/info?type=auto", "rgb.png", headers=[("Accept", "image/webp")], length=True)

for accept in ("image/webp", "image/png,image/webp", "image/avif,image/webp,*/*", "*/*", "image/*", "text/html", "image/jpeg", "IMAGE/WEBP", "image/png;q=0.1,image/jpeg;q=0.9", "image/webp;q=0", " image/png , image/webp",
               "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8", "", "image/webp2", "image/jpg", "garbage;;;,,,image/png", "image/tiff", "image/gif,image/jpeg"):
    for name in ("rgb.png", "photo.jpg"):
        A.post("/resize?width=60&type=auto", name, headers=[("Accept", accept)] if accept else (), why="the first of webp, png, jpeg in the list")
    A.post("/convert?type=auto", "rgb.png", headers=[("Accept", accept)] if accept else (), why="convert without an acceptable type misses it")
    A.post("/resize?width=60", "rgb.png", headers=[("Accept", accept)] if accept else (), why="without auto Accept is not looked at")
A.post("/resize?type=auto", "rgb.png", headers=[("Accept", "image/webp")], why="Vary on errors of the operation")
A.post("/resize?type=auto&width=abc", "rgb.png", headers=[("Accept", "image/webp")], free=Expect(status=400))
A.post("/resize?type=auto&width=50", "garbage.bin", headers=[("Accept", "image/webp")], free=Expect(status=406))
A.post("/resize?type=auto&width=50", "static.gif", why="GIF kept as GIF: no encoder", free=Expect(status=200))
A.post("/resize?type=auto&width=50", "rgb.png", headers=[("Accept", "image/webp"), ("Accept", "image/png")], free=Expect(status=200), why="several Accept lines (FREE)")

# Colour: grey, flattening.
for name in ("rgb.png", "rgba.png", "grey.png", "grey-alpha.png", "photo.jpg", "cmyk.jpg", "rgb16.png", "alpha.webp", "palette-trns.png", "metadata.jpg", "exif-6.jpg"):
    for kind in ("jpeg", "png", "webp"):
        C.post(f"/convert?type={kind}&colorspace=bw", name, exact=True, floor=27 if kind == "webp" else 38, free=Expect(status=200, icc=False, format=kind.upper()) if name in ("metadata.jpg", "cmyk.jpg") else (), why="grey, alpha kept")
for name in ("rgba.png", "alpha.webp", "palette-trns.png", "transparent.gif", "grey-alpha.png", "rgba.tiff"):
    for background in ("", "&background=0,0,0", "&background=255,255,255", "&background=255,0,0", "&background=0,0,1", "&background=1,1,1"):
        for kind in ("jpeg", "png", "webp"):
            if name == "grey-alpha.png" and "255,0,0" in background:
                continue
            C.post(f"/convert?type={kind}{background}", name, exact=True, floor=27 if kind == "webp" else 30 if name.endswith("webp") and kind == "png" else 0, why="flattened on background unless that is black")
    C.post("/resize?width=60&background=255,255,255&type=png", name)

# Encoding: the knobs, and their limits.
for kind in ("jpeg", "webp"):
    for quality in (0, 1, 30, 75, 89, 90, 95, 100, 101, 1000, -50):
        E.post(f"/convert?type={kind}&quality={quality}", "photo.jpg", floor=29 if abs(quality) > 60 or quality == 0 else 26 if quality == 30 else 24 if quality == -50 else 14, why="quality 1–100, else 75")
for compression in (0, 1, 6, 9, 10, -3):
    E.post(f"/convert?type=png&compression={compression}", "rgb.png", exact=True, why="compression")
E.post("/convert?type=jpeg&interlace=true", "photo.jpg", must=Expect(pixels=lambda p: None if p.progressive else "not progressive"), why="progressive")
E.post("/convert?type=jpeg&interlace=false", "progressive.jpg", must=Expect(pixels=lambda p: "progressive" if p.progressive else None), why="baseline")
E.post("/convert?type=png&interlace=true", "rgb.png", exact=True)
for name in ("rgb.png", "photo.jpg", "palette.png"):
    E.post("/convert?type=png&palette=true", name, palette=True, floor=26, must=Expect(format="PNG"), why="8-bit indexed")
    E.post("/convert?type=png&palette=false", name, palette=True, floor=26, free=Expect(status=200, format="PNG"), why="also with false in the reference (FREE)")
    E.post("/convert?type=png", name, palette=True, exact=True, why="truecolour without it")
E.post("/resize?width=80&type=png&palette=true", "rgba.png", palette=True, floor=21)
E.post("/resize?width=100&height=65501&force=true&type=jpeg", "tiny-1x1.png", free=Expect(status=(200, 400, 422)), why="sides beyond the format")
E.post("/resize?width=16384&height=10&force=true&type=webp", "rgb.png", must=Expect(status=400), free=Expect(status=400), why="WebP sides")
E.post("/resize?width=16383&height=4&force=true&type=webp", "rgb.png", pixels="skip", why="WebP sides")


def sampling(wanted):
    def check(picture):
        return None if picture.sampling == wanted else f"chroma sampling {picture.sampling}, not {wanted}"

    return check


for quality, wanted in ((50, "4:2:0"), (89, "4:2:0"), (90, "4:4:4"), (100, "4:4:4")):
    E.post(f"/convert?type=jpeg&quality={quality}", "444.jpg", floor=27, must=Expect(pixels=sampling(wanted)), why="libvips's rule for chroma")

LIMIT = suite("4.0 resolution", "-max-allowed-resolution", "0.0192")
UNDER = suite("4.0 resolution", "-max-allowed-resolution", "0.0191")
for path in ("/resize?width=50", "/info", "/autorotate"):
    LIMIT.post(path, "rgb.png", why="exactly at the limit")
    UNDER.post(path, "rgb.png", why="one over the limit")
    UNDER.post(path, "mark.png", why="below it")
    UNDER.post(path, "photo.jpg")
    UNDER.post(path, "size.svg", why="vector pictures too", floor=20)
assert Picture(fixture("rgb.png")).size == (160, 120)
