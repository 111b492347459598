"""Sections 4.18 and 4.19, watermarks, and 4.0.10, blur.

Text is drawn by another engine with hinting of its own, so its pixels are compared as means; where the mark must be and
must not be is checked on the answer itself.
"""

from PIL import ImageChops

from harness.model import Expect, fixture, suite
from harness.picture import Picture

S = suite("4.18 text watermark")
M = suite("4.19 image watermark", "-enable-url-source")
B = suite("4.0.10 blur")
GUARDED = suite("4.19 image watermark", "-enable-url-source", "-allowed-origins", "http://{ORIGIN}/img")
SMALL = suite("4.19 image watermark", "-enable-url-source", "-max-allowed-size", "1000")


def changed(name, box=None, atleast=40, elsewhere=None):
    """A check that the mark changed the fixture (inside `box`, and nothing inside `elsewhere`)."""
    base = Picture(fixture(name)).rgba.convert("RGB")

    def check(picture):
        if picture.size != base.size:
            return f"size {picture.size}, not {base.size}"
        difference = ImageChops.difference(picture.rgba.convert("RGB"), base)
        if box and difference.crop(box).getbbox() is None:
            return f"no mark inside {box}"
        if max(high for _, high in difference.getextrema()) < atleast:
            return "no visible mark"
        if elsewhere and (found := difference.crop(elsewhere).getbbox()):
            if max(high for _, high in difference.crop(elsewhere).getextrema()) > 24:
                return f"marked at {found} inside {elsewhere}, where nothing belongs"
        return None

    return check


photo = "/watermark?text=Phasor&type=png"
for query in ("", "&opacity=1", "&opacity=0", "&opacity=5", "&opacity=-0.5", "&font=sans%20bold%2020", "&dpi=72", "&dpi=300", "&textwidth=200", "&margin=10", "&margin=200", "&color=255,255,255",
              "&color=255", "&noreplicate=true", "&noreplicate=true&opacity=1", "&width=300", "&width=300&height=200", "&rotate=90", "&font=serif", "&font=nosuchfont%2014",
              "&text=", "&colorspace=bw", "&sigma=2", "&textwidth=20", "&font=monospace%208&opacity=0.8&noreplicate=true"):
    small = any(part in query for part in ("dpi=72", "margin=10", "width=300", "textwidth=20"))  # "embed: bad dimensions" in the reference
    S.post(photo + query, "photo.jpg", pixels="near", free=Expect(status=200) if small else (), why="text defaults and parameters")
S.post("/watermark?text=Phasor&noreplicate=true&opacity=1&textwidth=300&font=sans%2020&type=png", "photo.jpg",
       must=Expect(size=(550, 740), pixels=changed("photo.jpg", (100, 100, 400, 180), elsewhere=(0, 0, 98, 740))), pixels="near", why="the box's top left is at (100, 100)")
S.post("/watermark?text=Phasor&noreplicate=true&opacity=1&textwidth=300&font=sans%2020&type=png", "photo.jpg",
       must=Expect(pixels=changed("photo.jpg", (100, 100, 400, 180), elsewhere=(0, 260, 550, 740))), pixels="near", why="once only")
S.post("/watermark?text=Phasor&opacity=1&textwidth=150&margin=100&type=png&color=255,0,0", "photo.jpg",
       must=Expect(size=(550, 740), pixels=changed("photo.jpg", (350, 100, 550, 300))), pixels="near", why="the tile repeats")
for text in ("%C3%9Cn%C3%AFc%C3%B6de", "two%20words%20that%20wrap%20at%20the%20text%20width", "a%0Ab", "%26amp%3B", "x", "0", "1.5", "true"):
    S.post(f"/watermark?text={text}&opacity=0.6&textwidth=120", "photo.jpg", pixels="near", must=Expect(size=(550, 740)), why="texts")
for text in ("a%20%26%20b", "%3Cb%3Ebold%3C/b%3E", "%3Cbroken"):
    S.post(f"/watermark?text={text}&opacity=0.6&textwidth=120", "photo.jpg", free=(Expect(status=200, size=(550, 740)), Expect(status=400)), pixels="near", why="markup (FREE)")
for text in ("%20", "%0A", "+++"):
    S.post(f"/watermark?text={text}", "photo.jpg", free=(Expect(status=200), Expect(status=400)), pixels="near", why="blank text")
for name in ("rgb.png", "exif-1.jpg", "rgba.png", "grey-alpha.png", "grey.png", "palette.png", "palette-trns.png", "rgb16.png", "grey16.png", "cmyk.jpg", "tiny-1x1.png", "tiny-3x2.png",
             "tiny-1x200.png", "transparent.gif", "alpha.webp", "lossless.webp"):
    alpha = Picture(fixture(name)).alpha
    size = Picture(fixture(name)).size
    S.post("/watermark?text=Hi&opacity=1&type=png", name, fix=Expect(status=200, size=size, alpha=alpha), why="FIX: small, grey and alpha pictures work, keep size and alpha")
for name in ("grey.jpg", "grey.png", "grey-alpha.png", "rgba.png", "rgb16.png", "rgb.png"):
    S.post("/watermark?text=HHHHHH&opacity=1&textwidth=400&font=sans%2030&type=png&color=255,0,255", name,
           fix=Expect(status=200, size=Picture(fixture(name)).size, pixels=changed(name, None)) if name not in ("rgba.png", "grey-alpha.png") else Expect(status=200, alpha=True),
           why="FIX: the mark is visible on every kind of picture")
S.post("/watermark?text=A&textwidth=5000", "rgb.png", fix=Expect(status=200, size=(160, 120)), why="FIX: a tile beyond the picture is clipped")
S.post("/watermark?text=A&margin=5000", "rgb.png", fix=Expect(status=200, size=(160, 120)), why="FIX: a tile beyond the picture is clipped")
S.post("/resize?width=300&text=Hello", "photo.jpg", pixels="near", why="text on other endpoints")
S.post("/crop?width=300&height=300&text=Hello&opacity=1", "photo.jpg", pixels="near", why="text on other endpoints")

IMAGE = "/watermarkimage?type=png&image=http://{ORIGIN}"
for query in ("", "&top=10&left=20", "&left=140&top=100", "&left=150&top=110", "&opacity=0.5", "&opacity=0", "&opacity=2", "&opacity=-0.5", "&width=80", "&width=80&top=5&left=5", "&top=-10&left=10",
              "&rotate=90", "&flip=true", "&colorspace=bw", "&noreplicate=true"):
    M.post(IMAGE + "/f/mark.png" + query, "rgb.png", fix=Expect(status=200, pixels=None), why="placed at (left, top), clipped")
    M.post(IMAGE + "/f/rgb.png" + query + "&areawidth=0", "photo.jpg", exact="width=80" not in query, pixels="psnr", why="an opaque mark")
    M.post(IMAGE + "/f/mark.png" + query.replace("&colorspace=bw", ""), "photo.jpg", floor=26, why="a mark with soft alpha")
M.post(IMAGE + "/f/mark.png&left=160", "rgb.png", fix=Expect(status=400), why="wholly outside")
M.post(IMAGE + "/f/mark.png&left=600", "photo.jpg", why="wholly outside")
M.post(IMAGE + "/f/mark.png&top=800", "photo.jpg", why="wholly outside")
M.post(IMAGE + "/f/photo.jpg", "rgb.png", why="a mark larger than the picture", pixels="near")


def pixel(at, wanted, tolerance=6):
    def check(picture):
        got = picture.pixel(*at)
        return None if all(abs(a - b) <= tolerance for a, b in zip(got, wanted)) else f"pixel {at} is {got}, not {wanted}"

    return check


M.post(IMAGE + "/f/mark-half.png&top=50&left=60", "rgb.png", fix=Expect(status=200, size=(160, 120), pixels=lambda p: None if p.pixel(70, 60)[3] == 255 else "the opaque base became clear"),
       why="FIX: a half-clear mark keeps an opaque base opaque")
for name in ("grey.png", "grey.jpg", "grey-alpha.png", "grey16.png", "rgb16.png", "rgba.png", "cmyk.jpg", "palette.png", "alpha.webp", "static.gif"):
    M.post(IMAGE + "/f/mark.png", name, fix=Expect(status=200, size=Picture(fixture(name)).size), why="FIX: works on every base")
for name in ("mark.png", "mark-half.png", "rgb.png", "grey.png", "lossy.webp", "static.gif", "exif-6.jpg", "palette-trns.png", "interlaced.png"):
    M.post(IMAGE + f"/f/{name}", "photo.jpg", fix=Expect(status=200, size=(550, 740)), why="kinds of marks")
for source, why in (("http://{ORIGIN}/status/404", "not found"), ("http://{ORIGIN}/status/500/mark.png", "FIX: an answer other than 200 is a failed fetch"), ("http://127.0.0.1:1/x.png", "connection refused"),
                    ("nonsense", "no URL"), ("ftp://{ORIGIN}/f/mark.png", "another scheme"), ("file:///etc/passwd", "another scheme"), ("http://", "no host"), ("%2Fetc%2Fpasswd", "a path"), ("http://[::1", "bad IPv6")):
    M.post(f"/watermarkimage?image={source}", "rgb.png", fix=Expect(status=400), why=why)
M.post("/watermarkimage?image=http://{ORIGIN}/f/empty.bin", "photo.jpg", must=Expect(status=400), why="an empty mark")
M.post("/watermarkimage?image=http://{ORIGIN}/f/garbage.bin", "photo.jpg", must=Expect(status=400), why="a mark that is no picture")
M.post("/watermarkimage?image=http://{ORIGIN}/redirect/2/mark.png", "photo.jpg", why="redirects are followed")
M.post("/watermarkimage?image=http://{ORIGIN}/redirect/11/mark.png", "photo.jpg", must=Expect(status=400), why="eleven are not")
M.post("/resize?width=300&image=http://{ORIGIN}/f/mark.png", "photo.jpg", why="image on other endpoints")
M.post("/resize?width=300&image=http://{ORIGIN}/status/404", "photo.jpg", why="image on other endpoints", fix=Expect(status=(200, 400)))
GUARDED.post("/watermarkimage?image=http://{ORIGIN}/img/mark.png", "photo.jpg", why="an allowed origin")
GUARDED.post("/watermarkimage?image=http://{ORIGIN}/other/mark.png", "photo.jpg", fix=Expect(status=400), why="FIX: the same guard as url=")
GUARDED.post("/watermarkimage?image=http://{ORIGIN2}/img/mark.png", "photo.jpg", fix=Expect(status=400), why="FIX: the same guard as url=")
SMALL.post("/watermarkimage?image=http://{ORIGIN}/f/rgb.png", "photo.jpg", fix=Expect(status=400), why="FIX: the same size limit as url=")

for query in ("sigma=0.1", "sigma=0.19", "sigma=0.3", "sigma=0.5", "sigma=1", "sigma=2.5", "sigma=5", "sigma=12", "sigma=30", "sigma=100", "sigma=1000", "sigma=1001", "sigma=1e9", "minampl=0.5", "sigma=3&minampl=0.01", "sigma=3&minampl=0.9",
              "sigma=0", "minampl=0", "sigma=-3", "sigma=5&width=80", "sigma=5&width=300&height=50"):
    for name in ("rgb.png", "rgba.png", "grey.png"):
        B.post(f"/blur?{query}", name, exact="sigma=0.1" in query or query == "minampl=0.5", floor=27 if name == "rgba.png" else 0, why="blur")
B.post("/blur?sigma=15.0&minampl=0.2", "photo.jpg", why="the form's request")
B.post("/blur?sigma=4&type=png", "rgb16.png")
B.post("/resize?width=80&sigma=1.5", "photo.jpg")
