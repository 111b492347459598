"""Section 4.0: sizes and places for every endpoint × sizes × crop, embed, extend, gravity, force."""

from harness.model import Expect, suite

S = suite("4.0 geometry")
LAND, PHOTO = "rgb.png", "photo.jpg"  # 160 × 120 and 550 × 740

# Every mode against boxes that are smaller, larger, flat, tall, equal, and one-sided.
BOXES = ("width=80", "height=50", "width=100&height=100", "width=300&height=90", "width=300&height=300", "width=160&height=120",
         "width=33&height=77", "width=161", "height=119", "width=320&height=240", "width=1&height=1", "width=7&height=200")
ODD = {"width=33&height=77": 20, "width=1&height=1": 14, "width=7&height=200": 18}  # where the reference is coarse
for box in BOXES:
    rough = {"floor": ODD.get(box, 0)}
    for path in ("/resize", "/crop", "/thumbnail"):
        S.post(f"{path}?{box}", LAND, exact="160&height=120" in box, **rough)
    for extra in ("&nocrop=false", "&force=true", "&embed=false&nocrop=true"):
        S.post(f"/resize?{box}{extra}", LAND, **rough)
    S.post(f"/flip?{box}", LAND, why="no mode applies: stretched", pixels="skip" if box in ODD else "psnr")
    S.post(f"/rotate?rotate=90&{box}", LAND, why="no implicit force", **rough)
    S.post(f"/convert?type=png&{box}&embed=true", LAND, why="embed asked for by the request", **rough)
for box in BOXES:
    if "width" in box and "height" in box:
        for path in ("/fit", "/enlarge"):
            S.post(f"{path}?{box}", LAND, floor=ODD.get(box, 0))
        S.post(f"/enlarge?{box}&nocrop=true", LAND, floor=ODD.get(box, 0))
        S.post(f"/fit?{box}&force=true", LAND, why="force keeps the ratio of the fitted box", floor=ODD.get(box, 0))
        S.post(f"/fit?{box}", PHOTO, floor=ODD.get(box, 0))

# Rounding of the free side, photograph sizes.
for width in (1, 2, 3, 13, 57, 99, 101, 123, 257, 274, 275, 276, 333, 412, 549, 551, 600):
    S.post(f"/resize?width={width}&type=png", PHOTO, slack=1 if width < 4 else 0, why="round(ih / factor)")
    S.post(f"/resize?height={width}", "progressive.jpg", slack=1 if width < 4 else 0)
for width, height in ((550, 10), (10, 740), (551, 741), (550, 740), (600, 700), (500, 800), (1100, 1480)):
    S.post(f"/resize?width={width}&height={height}", PHOTO, floor=25 if height == 10 else 0)
    S.post(f"/crop?width={width}&height={height}", PHOTO)
for name in ("tiny-1x1.png", "tiny-3x2.png", "tiny-1x200.png", "tiny-1000x1.png", "tiny-1x1.jpg"):
    for query in ("/resize?width=10", "/resize?width=100&height=100", "/crop?width=5&height=5", "/thumbnail?width=20&height=20",
                  "/enlarge?width=40&height=30", "/rotate?rotate=90", "/flip", "/fit?width=50&height=50", "/convert?type=jpeg"):
        vanishes = ("tiny-1000x1.png/resize", "tiny-1000x1.png/fit", "tiny-1x200.png/fit", "tiny-1000x1.png/thumbnail", "tiny-1x200.png/thumbnail")
        fix = {"fix": Expect(status=200)} if name + query.split("?")[0] in vanishes else {}
        S.post(query, name, slack=1, pixels="skip", why="tiny pictures: never less than one pixel", **fix)

# Crop windows: place and rounding show in pixels that are not resampled.
for gravity in ("centre", "north", "south", "east", "west"):
    for box in ("width=60&height=120", "width=160&height=61", "width=61", "height=33", "width=161&height=60", "width=50&height=50"):
        S.post(f"/crop?{box}&gravity={gravity}&type=png", LAND, exact=box not in ("width=50&height=50", "width=60&height=120", "width=161&height=60"),
               why="crop window")
S.post("/crop?width=16384&height=10&force=true", LAND, pixels="skip", why="force is no crop: no limit of crop sides", free=Expect(status=400))
S.post("/crop?width=100&height=100&force=true", LAND, why="force beats crop")
S.post("/enlarge?width=400&height=400", LAND, why="enlarge crops")
S.post("/enlarge?width=16384&height=10", LAND, why="Maximum image size exceeded", free=Expect(status=(400, 422)))
for query in ("/crop?width=16384&height=100", "/crop?width=20000", "/smartcrop?width=16384&height=100", "/extract?areawidth=16384&areaheight=10",
              "/extract?areawidth=10&areaheight=20000", "/zoom?factor=1&top=1&areawidth=16384&areaheight=4"):
    S.post(query, LAND, why="sides above 16383", free=Expect(status=(400, 422)) if "factor" in query else ())

# Embed: place, every border, every kind of source.
BORDERS = ("black", "white", "copy", "mirror", "background", "lastpixel")
for extend in BORDERS:
    for box in ("width=200&height=120", "width=161&height=125", "width=100&height=100", "width=100&height=260"):
        S.post(f"/resize?{box}&embed=true&extend={extend}&background=200,100,50", LAND, why="border")
    for box in ("width=170&height=130", "width=121&height=200", "width=100&height=100"):
        S.post(f"/resize?{box}&extend={extend}", "alpha.webp", why="border with alpha", floor=27)
        S.post(f"/resize?{box}&extend={extend}&type=png&background=200,100,50", "rgba.png", why="border with alpha")
S.post("/resize?width=200&height=120&background=200,100,50", LAND, why="without extend: copy")
S.post("/enlarge?width=400&height=100&nocrop=true&embed=true&extend=white", LAND, why="enlarge with embed")
S.post("/enlarge?width=200&height=500&embed=true&extend=mirror&nocrop=true", LAND)
S.post("/fit?width=300&height=300&extend=white", LAND, why="fit never fills the box")
S.post("/resize?width=500&height=50&extend=mirror", "tiny-3x2.png", pixels="near", why="a mirror wider than the picture")
S.post("/resize?width=500&height=50&extend=mirror", LAND, why="a mirror wider than the picture")
S.post("/resize?width=90&height=400&extend=copy", LAND)


def border(colour, alpha=None, at=(1, 1), tolerance=6):
    """A check that the corner pixel has this colour."""

    def check(picture):
        got = picture.pixel(*at)
        wanted = colour + ((alpha,) if alpha is not None else ())
        if any(abs(a - b) > tolerance for a, b in zip(got, wanted)):
            return f"pixel {at} is {got}, not {wanted}"
        return None

    return check


for name in ("grey.png", "grey-alpha.png", "rgb16.png", "grey16.png", "cmyk.jpg", "grey.jpg", "palette.png", "bits1.png"):
    alpha = name == "grey-alpha.png"
    for extend, colour in (("white", (255, 255, 255)), ("black", (0, 0, 0)), ("background", (200, 100, 50))):
        if alpha and extend == "background":
            continue
        clear = alpha and extend == "black"
        background = "" if alpha else "&background=200,100,50"  # else the alpha is flattened on it
        S.post(f"/resize?width=200&height=100&extend={extend}{background}&type=png", name,
               fix=Expect(status=200, size=(200, 100), pixels=border(colour, 0 if clear else 255)),
               why="FIX: the colour asked for on every kind of source")
for extend in ("copy", "mirror"):
    for name in ("grey.png", "grey-alpha.png", "cmyk.jpg", "rgb16.png"):
        S.post(f"/resize?width=200&height=100&extend={extend}&type=png", name, fix=Expect(status=200, size=(200, 100)), why="FIX")

# Smart crop: the size is exact; the window is a judgement, so the quadrants' means are compared.
for box in ("width=200&height=200", "width=550&height=200", "width=200&height=740", "width=300", "height=300", "width=600&height=800", "width=100&height=300"):
    for path in (f"/smartcrop?{box}", f"/crop?{box}&gravity=smart"):
        S.post(path, PHOTO, pixels="near", why="attention")
    S.post(f"/smartcrop?{box}&gravity=north", "rgb.png", pixels="skip", why="gravity smart whatever is asked")
S.post("/resize?width=200&height=200&gravity=smart", PHOTO, pixels="near", why="gravity smart without crop")
S.post("/smartcrop?width=100&height=100", "rgba.png", pixels="skip", why="without a clear subject the window is a matter of taste")

# Extract.
for query, exact in (
    ("areawidth=50&areaheight=40", True), ("top=10&left=20&areawidth=50&areaheight=40", True), ("top=80&left=110&areawidth=50&areaheight=40", True),
    ("top=81&left=110&areawidth=50&areaheight=40", True), ("top=-10&areawidth=50&areaheight=40", True), ("top=10&left=20&areawidth=50&areaheight=40&width=80", False),
    ("top=10&left=20&areawidth=50&areaheight=40&width=80&height=60", False), ("top=10&left=20&areawidth=50&areaheight=40&width=320&height=240", None),
    ("top=10&left=20&areawidth=50&areaheight=40&width=80&height=100", False), ("areawidth=160&areaheight=120", True), ("areawidth=161&areaheight=120", True),
    ("areawidth=50", True), ("areaheight=50", True), ("top=119&left=159&areawidth=1&areaheight=1", True), ("top=120&areawidth=1&areaheight=1", True),
    ("top=10&left=20&areawidth=50&areaheight=40&rotate=90", True), ("top=10&left=20&areawidth=50&areaheight=40&flip=true&flop=true", True),
    ("top=10&left=20&areawidth=50&areaheight=40&embed=true&width=300&height=300", False), ("left=20&areawidth=0&areaheight=40", True),
    ("top=10&left=20&areawidth=50&areaheight=40&sigma=3", False), ("top=1.5&left=2.5&areawidth=50.4&areaheight=40.5", True),
):
    S.post(f"/extract?{query}", LAND, exact=bool(exact), floor=29 if exact is None else 0, why="extract")

# Zoom.
for query, exact in (
    ("factor=1", True), ("factor=2", True), ("factor=3&type=png", True), ("factor=0", True), ("factor=1&width=100", False), ("factor=1&width=160", False), ("factor=1&width=400", False),
    ("factor=1&width=100&height=100", False), ("factor=1&top=10&areawidth=50&areaheight=50", True), ("factor=1&left=10&areawidth=50&areaheight=50", True),
    ("factor=1&top=10&left=30&areawidth=50&areaheight=60", True), ("factor=1&areawidth=50&areaheight=60", True), ("factor=1&top=10", True),
    ("factor=1&top=10&areawidth=50", True), ("factor=1&left=300&areawidth=50&areaheight=50", True), ("factor=1&top=10&areawidth=50&areaheight=50&nocrop=false", True),
    ("factor=1&top=10&areawidth=50&areaheight=50&nocrop=true", True), ("factor=1&nocrop=false&width=100&height=50", True), ("factor=1&nocrop=false&gravity=north&width=100&height=50", True),
    ("factor=1&rotate=90", True), ("factor=2&force=true&width=50&height=50", False), ("factor=1&embed=true&width=500&height=500", False),
):
    S.post(f"/zoom?{query}", LAND, exact=exact, why="zoom comes before scaling; sizes come from the unzoomed source", free=Expect(status=400) if query == "factor=0" else ())

# Parameters that belong to other endpoints work everywhere.
for path in ("/resize?width=80", "/crop?width=80&height=80", "/fit?width=90&height=90", "/thumbnail?width=80", "/enlarge?width=200&height=200",
             "/extract?areawidth=80&areaheight=80", "/convert?type=png", "/smartcrop?width=90&height=90"):
    for extra in ("rotate=90", "flip=true", "flop=true", "sigma=2", "colorspace=bw", "rotate=270&flip=true", "rotate=180&force=true", "areawidth=20&areaheight=20&top=5"):
        S.post(f"{path}&{extra}", LAND, exact=path.startswith(("/convert", "/extract")) and "sigma" not in extra and "bw" not in extra,
               pixels="near" if "smart" in path else "psnr", why="every operation accepts every parameter",
               free=Expect(status=200, size=(90, 68)) if path.startswith("/fit") and "rotate=" in extra and "180" not in extra else ())
S.post("/fit?width=100&height=100&rotate=90&type=png", LAND, free=Expect(status=200), why="rotate does not turn the box (FREE)")
