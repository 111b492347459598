"""Section 4.17, the pipeline, and section 10, what Nextcloud sends."""

import json
import urllib.parse

from harness.model import Expect, suite

S = suite("4.17 pipeline")
NEXTCLOUD = suite("10 Nextcloud", "-return-size", "-max-allowed-resolution", "222.2")
OFF = suite("4.17 pipeline", "-disable-endpoints", "crop,resize")
P = "rgb.png"  # 160 × 120


def path(steps, extra="", raw=False):
    return "/pipeline?operations=" + urllib.parse.quote(steps if raw else json.dumps(steps, ensure_ascii=False)) + extra


def step(operation, ignore=None, **params):
    out = {"operation": operation}
    if ignore is not None:
        out["ignore_failure"] = ignore
    return {**out, "params": params} if params else out


def run(*steps, body=P, extra="", **rest):
    return S.post(path(list(steps), extra), body, **rest)


for operation, params in (("crop", {"width": 80, "height": 60}), ("resize", {"width": 80}), ("enlarge", {"width": 300, "height": 300}),
                          ("extract", {"areawidth": 50, "areaheight": 40, "top": 3, "left": 7}), ("rotate", {"rotate": 90}), ("autorotate", {}), ("flip", {}),
                          ("flop", {}), ("thumbnail", {"width": 50}), ("zoom", {"factor": 1}), ("convert", {"type": "webp"}),
                          ("watermark", {"text": "x", "textwidth": 60}), ("blur", {"sigma": 2}), ("smartcrop", {"width": 60, "height": 60}), ("fit", {"width": 90, "height": 90})):
    near = {"free": Expect(status=200)} if operation == "watermark" else {"pixels": "skip"} if operation == "smartcrop" else {}
    run(step(operation, **params), why="one step", **near)
    run(step("flip"), step(operation, **params), step("flop"), why="between two others", **near)
    if params:
        run(step(operation), why="without its parameters")
        run(step(operation, **{key: str(value) for key, value in params.items()}), why="parameters as strings", **near)
        run(step(operation, True), step("resize", width=40), why="a failing step that may fail is skipped", fix=Expect(status=(200, 400)) if operation == "convert" else Expect(status=200, size=(40, 30)))
for name in ("watermarkimage", "Resize", "info", "pipeline", "unknown", "", "resize ", "watermarkImages", "CROP", "<b>&", "form"):
    run({"operation": name}, why="names are case-sensitive")
run({"operation": "watermarkImage"}, why="an image is required")
for text in ("null", "[]", "[{}]", "", "{}", '"abc"', "[1]", "[null]", '[{"operation":"flip","extra":1}]', '[{"operation":"flip","ignore_failure":"x"}]', "[", "[{]",
             '[{"operation":1}]', '[{"operation":"flip","params":[]}]', '[{"operation":"flip","params":"x"}]', "[[]]", "1", '[{"operation":"flip"}',
             '[{"Operation":"flip"}]', '[{"operation":"flip","Params":{}}]', '[{"operation":"flip"}]x', ' [ { "operation" : "flip" } ] ',
             '[{"operation":"flip","params":null}]', '[{"operation":null}]', '[{"operation":"flip","ignore_failure":null}]', '[{"operation":"flip","operation":"flop"}]',
             '[{"operation":"\\u0066lip"}]', '[{"operation":"flip",}]', "[{'operation':'flip'}]", "\ufeff[]", '[{"operation":"resize","params":{"width":80,"width":40}}]'):
    free = ()
    if "Operation" in text or "Params" in text or '"operation":"flip","operation"' in text or text.endswith("}]x"):
        free = (Expect(status=400), Expect(status=200))
    S.post(path(text, raw=True), P, free=free, why="shapes of the JSON")
for count in (9, 10, 11, 40):
    run(*[step("flip")] * count, why="at most ten operations")

# Values.
for value in (80, 80.7, 80.2, "80", "80.5", "-80", "abc", "", -50, 0, True, False, None, [], {}, 1e2, "1e2", 1e300, "80px", -0.5, "1e400"):
    free = Expect(status=(400, 422)) if value == 1e300 else ()
    run(step("resize", width=value, height=60), free=free, why="an integer in JSON: truncated, sign kept")
    if not isinstance(value, (int, float)) or value in (80, -50):
        run(step("resize", width=value), free=free)
for value in (True, False, "true", "1", "f", "", "yes", 1, 0, None, "TRUE", [], 1.5):
    run(step("resize", width=300, height=90, force=value), why="a boolean in JSON")
    run(step("resize", width=300, height=90, nocrop=value), why="a boolean in JSON, remembered as given")
for value in (2, 2.5, "2", -2, "-2", 0, "abc", None, True, "0.1"):
    run(step("blur", sigma=value), why="a float in JSON")
for name, value in (("rotate", -90), ("rotate", 450), ("rotate", "-90"), ("factor", -1), ("factor", -5), ("top", -5), ("quality", -1), ("quality", 200), ("compression", -1), ("margin", -5),
                    ("gravity", "north"), ("gravity", 5), ("colorspace", "bw"), ("colorspace", True), ("extend", "white"), ("extend", 3), ("background", "255,0,0"),
                    ("background", [255, 0, 0]), ("color", 1), ("text", 5), ("type", "png"), ("type", "bmp"), ("type", 5), ("aspectratio", "1:1"), ("aspectratio", 2), ("opacity", -1),
                    ("unknown", {"deep": [1]}), ("operations", "[]"), ("stripmeta", "true"), ("interlace", "true"), ("palette", "x"), ("speed", 3), ("width", "300")):
    operation = {"rotate": "rotate", "factor": "zoom"}.get(name, "crop")
    params = {name: value} if operation != "crop" else {"width": 150, "height": 60, name: value}
    free = (Expect(status=400),) if name in ("factor", "type") else (Expect(status=200), Expect(status=400)) if name == "operations" else ()
    run(step(operation, **params), free=free, why="a parameter inside params")
    if operation == "crop":
        run(step("flip", **{name: value}), free=free, why="a parameter that the step does not use")

# Order of checks, effects between steps.
run(step("flip"), step("nope"), why="names are checked before the first operation runs")
run(step("flip", True), step("resize", width="abc"), why="parameters too")
run(step("nope", True), step("flip"), why="ignore_failure does not excuse a name")
run(step("resize", True, width="abc"), step("flip"), why="ignore_failure does not excuse a parameter")
run(step("extract", True, areawidth=500, areaheight=500), step("flip"), fix=Expect(status=200, size=(160, 120)), why="FIX: the picture before the failing step goes on")
run(step("extract", areawidth=500, areaheight=500), step("flip"), why="a failing step")
run(step("flip"), step("extract", True, areawidth=500, areaheight=500), fix=Expect(status=200, size=(160, 120)), why="FIX")
run(step("resize", width=80), step("extract", areawidth=100, areaheight=10), why="the area is one of the result before")
run(step("resize", width=80), step("extract", areawidth=40, areaheight=10, top=50))
run(step("crop", width=100, height=100), step("rotate", rotate=90), step("resize", width=50), step("blur", sigma=1))
run(step("zoom", factor=1), step("crop", width=200, height=100), step("flip"))
run(step("enlarge", width=400, height=300), step("resize", width=100))
run(step("fit", width=100, height=100), step("convert", type="jpeg"), step("flop"), why="the format stays")
run(step("convert", type="jpeg", quality=90), step("resize", width=100), step("convert", type="png"), floor=27, why="a JPEG in between is not part of the contract")
run(step("convert", type="webp"), step("convert", type="png"), floor=27)
run(step("convert", type="bmp"), why="Invalid image type")
run(step("convert", type="gif"), free=Expect(status=200))
run(step("convert", type="auto"), why="auto inside a pipeline")
run(step("convert"), why="type is required")
run(step("resize", width=80, type="webp"), why="the type of a resize step")
run(step("resize", width=80, type="bmp"), why="an unknown type of another operation is ignored")
run(step("resize", width=80, colorspace="bw"), step("flip"), why="grey stays grey")
run(step("resize", width=100, height=100, extend="white", embed=True), step("rotate", rotate=90))
run(step("flip"), body="rgba.png", why="alpha through a pipeline", exact=True)
run(step("resize", width=80), step("convert", type="jpeg"), body="rgba.png", why="alpha flattened on black")
run(step("convert", type="jpeg", background="255,0,0"), body="rgba.png")
run(step("crop", width=80, height=80), step("smartcrop", width=40, height=40), body="photo.jpg", pixels="near")
run(step("watermark", text="one", textwidth=80), step("watermark", text="two", textwidth=40, opacity=0.9), body="photo.jpg", pixels="near", free=Expect(status=200, size=(550, 740)))
for query in ("&type=jpeg", "&width=10", "&type=bmp", "&width=abc", "&type=auto", "&quality=5"):
    run(step("flip"), extra=query, exact=True, why="top-level parameters are checked but not used")
for tag in range(1, 9):
    name = f"exif-{tag}.jpg"
    run(step("autorotate"), step("resize", width=60), body=name, fix=Expect(status=200, size=(60, 40), orientation=1), why="EXIF is applied once")
    run(step("autorotate"), body=name, fix=Expect(status=200, size=(120, 80)))
    run(step("resize", width=60), step("flip"), body=name, fix=Expect(status=200, size=(60, 40), orientation=1), why="FIX: the reference may turn twice")
OFF.post(path([step("crop", width=50)]), P, free=Expect(status=501), why="disabled endpoints inside a pipeline (FREE)")
OFF.post("/crop?width=50", P)
S.post("/pipeline", P, why="no operations at all")
S.post("/pipeline?operations", P)
S.post("/pipeline?width=100", P)

# What Nextcloud sends, to the byte: chunked, any Content-Type, an empty key.
for first in ("fit", "smartcrop"):
    for kind in ("jpeg", "png", "webp"):
        for body in ("photo.jpg", "exif-6.jpg", "rgba.png", "lossy.webp", "static.gif", "rgb.tiff"):
            steps = [{"operation": "autorotate"}, {"operation": first, "params": {"width": 256, "height": 256, "stripmeta": "true", "type": kind, "norotation": "true", "quality": "80"}}]
            target = "/pipeline?operations=" + urllib.parse.quote_plus(json.dumps(steps, separators=(",", ":"))) + "&key="
            # Between its steps the reference keeps a JPEG as JPEG, at quality 75.
            rest = {"pixels": "near"} if first == "smartcrop" else {"floor": 27} if kind == "jpeg" or body.endswith(".jpg") else {}
            if body == "rgba.png" and kind == "png":
                rest["floor"] = 29
            if body == "static.gif":
                rest["free"] = Expect(status=200, format=kind.upper())  # the reference cannot write the GIF in between
            else:
                rest["must"] = Expect(status=200)
            NEXTCLOUD.post(target, body, type="application/x-www-form-urlencoded" if kind == "png" else "text/plain", chunked=True, **rest)
for kind in ("jpeg", "png", "webp"):
    steps = [{"operation": "convert", "params": {"type": "png"}}, {"operation": "fit", "params": {"width": 64, "height": 64, "type": kind, "norotation": "true", "stripmeta": "true", "quality": "80"}}]
    NEXTCLOUD.post("/pipeline?operations=" + urllib.parse.quote_plus(json.dumps(steps, separators=(",", ":"))) + "&key=", "size.svg", chunked=True, must=Expect(status=200), floor=25)
NEXTCLOUD.post("/pipeline?operations=%5B%5D&key=", "photo.jpg", chunked=True)
NEXTCLOUD.get("/health", length=True)
