"""Section 4.0.1: EXIF turns, rotate, flip and flop, and the tag that is left."""

from harness.model import Expect, suite

S = suite("4.0.1 orientation")
EXIF = [f"exif-{tag}.jpg" for tag in range(1, 9)]

for name in EXIF:
    tag = int(name[5])
    turned = Expect(status=200, orientation=1)
    for query in ("/convert?type=png", "/autorotate", "/flip?type=png", "/flop?type=png", "/rotate?rotate=90&type=png", "/convert?type=png&norotation=true",
                  "/rotate?rotate=180&norotation=true&type=png", "/flip?rotate=90&flop=true&type=png"):
        S.post(query, name, exact=True, why="moves of pixels")
    for query in ("/resize?width=60", "/resize?height=60", "/resize?width=50&height=50", "/crop?width=40&height=60", "/thumbnail?width=30",
                  "/enlarge?width=200&height=200", "/extract?top=5&left=10&areawidth=40&areaheight=30", "/resize?width=60&norotation=true",
                  "/zoom?factor=1", "/resize?width=60&rotate=90", "/resize?width=60&flip=true", "/crop?width=50&height=50&gravity=west",
                  "/resize?width=200&height=200&extend=white", "/thumbnail?width=50&height=50"):
        # Enlarged by another kernel: a little further apart.
        S.post(query + "&type=png", name, floor=30 if query.startswith("/enlarge") else 0, why="the displayed picture is what is measured")
    for query, size in (("/fit?width=60&height=60", (60, 40)), ("/fit?width=200&height=30", (45, 30)), ("/fit?width=30&height=200", (30, 20))):
        S.post(query, name, fix=Expect(status=200, size=size), why="FIX: the displayed size counts, also for tags 5–8")
    S.post("/convert?type=jpeg", name, fix=turned, why="FIX: the tag of a turned picture is 1 or absent")
    S.post("/resize?width=60", name, fix=turned, why="FIX: the tag of a turned picture is 1 or absent")
    S.post("/resize?width=60&stripmeta=true", name, must=Expect(orientation=1))
    S.post("/convert?type=jpeg&norotation=true", name, must=Expect(orientation=tag), why="a picture that is not turned keeps its tag")
    S.post("/info", name, must=Expect(json={"orientation": tag}), why="as stored")

for value in (0, 1, 44, 45, 89, 90, 91, 179, 180, 181, 270, 271, 359, 360, 361, 450, 720, 89.5, -90, 1e9):
    S.post(f"/rotate?rotate={value}&type=png", "rgb.png", exact=True, why="the value minus its remainder by 90, at most 270")
for query in ("flip=true", "flop=true", "flip=true&flop=true", "rotate=90&flip=true", "rotate=90&flop=true", "rotate=270&flip=true&flop=true"):
    S.post(f"/convert?type=png&{query}", "rgb.png", exact=True, why="rotate, then flip, then flop")
    S.post(f"/convert?type=png&{query}", "exif-6.jpg", exact=True)
    S.post(f"/convert?type=png&{query}", "exif-5.jpg", exact=True)
for path in ("/flip", "/flop"):
    for query in ("flip=true", "flop=true", "flip=false", "rotate=90", "width=80", "width=80&height=80"):
        S.post(f"{path}?{query}", "rgb.png", exact="width" not in query)
for query in ("width=10", "type=png", "quality=1", "flip=true", "stripmeta=true", "rotate=90"):
    S.post(f"/autorotate?{query}", "exif-6.jpg", why="autorotate ignores every other parameter")
S.post("/autorotate", "rgb.png", exact=True)
S.post("/autorotate", "rgba.png", exact=True)
S.post("/resize?width=200", "metadata-6.jpg", fix=Expect(status=200, size=(200, 269), orientation=1), why="FIX: shrunk while decoding and turned")
S.post("/resize?width=30", "metadata-6.jpg", fix=Expect(status=200, size=(30, 40), orientation=1), why="FIX: strongly shrunk and turned")
