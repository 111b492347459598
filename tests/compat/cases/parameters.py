"""Section 3: every parameter with good, odd and bad values."""

import json

from harness.model import Expect, suite

S = suite("3 parameters")
P = "rgb.png"  # 160 × 120
IGNORED = Expect(status=200)
REFUSED = Expect(status=400)

INTEGERS = ("width height top left areawidth areaheight quality compression rotate margin factor dpi textwidth speed").split()
BOOLEANS = "flip flop force embed nocrop noprofile norotation noreplicate stripmeta interlace palette".split()
FLOATS = "opacity sigma minampl".split()

for name in INTEGERS:
    lead = "/resize?width=80&" if name != "width" else "/resize?height=60&"
    for value in ("", "0", "12", "12.4"):
        S.post(f"{lead}{name}={value}", P, why="an integer parameter takes this")
    for value in ("abc", "100px", "1e400"):
        S.post(f"{lead}{name}={value}", P, why="an integer parameter refuses this")

for value in ("200.5", "199.5", "-100", "2e2", "+90", "1E2", ".9e2", "90.", "000100", "1e-5", "-0", "0.49", "%2B50"):
    S.post(f"/resize?width={value}", P, why="absolute value, floor(x + 0.5)")
for value in ("0x64", "%20100", "100%20", "1,5", "1e", "e5", "--5", "%2B-5", ".", "1.2.3", "%E4%BD%A0", "%22", "a%3Cb%3E%26", "%0A", "12%00",
              "1e999999", "-1e400", "%09", "%C3%A9", "%5C", "%7F", "%E2%80%A8", "%FF"):
    S.post(f"/resize?width={value}", P, why="the text of a refusal quotes the value as Go's %q does")
for value in ("inf", "nan", "-Inf", "Infinity", "1_00", "0x1p4", "0X1P4", "NaN"):
    S.post(f"/resize?width={value}", P, free=(REFUSED, IGNORED, Expect(status=422)), why="FREE, never a crash")

for name in BOOLEANS:
    for value in ("true", "false", ""):
        S.post(f"/resize?width=80&height=80&{name}={value}", P, palette=name == "palette" and value == "true", why="a boolean takes this",
               **({"free": Expect(status=200, format="PNG", size=(80, 60)), "floor": 26} if name == "palette" else {}))
    S.post(f"/resize?width=80&{name}=yes", P, why="a boolean refuses this")
for value in ("1", "t", "T", "TRUE", "True", "0", "f", "F", "FALSE", "False", "tRUE", "2", "on", "%20true", "y", "-1", "truE"):
    S.post(f"/flip?flop={value}", P, exact=True, why="Go's ParseBool")

for name in FLOATS:
    for value in ("", "0", "0.5", "-0.5", "1e-1"):
        S.post(f"/resize?width=80&{name}={value}", P, why="a float takes this")
    for value in ("abc", "1e400", "0,5"):
        S.post(f"/resize?width=80&{name}={value}", P, why="a float refuses this")

# Colours on an embed border. The colour is looked at, so a mistake of one shows.
for value in ("255,0,0", "255, 128 ,0", "300,0,0", "-5,200,10", "abc,200,10", "1,2,3,4", "0.5,200,200", "+5,200,200", "255,,255", "0x10,20,30"):
    S.post(f"/resize?width=100&height=100&embed=true&extend=background&background={value.replace(' ', '%20').replace('+', '%2B')}", P,
           why="colour parts: trimmed, unsigned, clamped")
for value in ("255", "255,0", ","):
    S.post(f"/resize?width=100&height=100&background={value}", P, fix=Expect(status=(200, 400)), why="FIX: fewer than three parts crash the reference")
    S.post(f"/watermark?text=Hi&color={value}", "photo.jpg", pixels="near", why="fewer than three parts: black")
S.post("/resize?width=100&background=", P, why="an empty colour is absent")

for value in ("north", "South", "EAST", "%20west%20", "smart", "centre", "center", "nonsense", "", "northeast"):
    S.post(f"/crop?width=60&height=60&gravity={value}", "photo.jpg", pixels="near" if value == "smart" else "psnr", why="gravity is trimmed and any case; others centre")
for value in ("white", "BLACK", "%20copy%20", "mirror", "background", "lastpixel", "nonsense", ""):
    S.post(f"/resize?width=200&height=200&embed=true&force=false&extend={value}&background=10,200,30", P, why="extend is trimmed and any case; others mirror")
for value in ("bw", "BW", "srgb", "nonsense", "", "grey"):
    S.post(f"/resize?width=80&colorspace={value}", P, why="bw or sRGB")

for value in ("jpeg", "JPEG", "png", "WebP", "tiff", "auto", ""):
    S.post(f"/resize?width=80&type={value}", P, why="type, any case")
for value in ("jpg", "AUTO", "bmp", "text", "%20png", "png%20", "image/png", "null"):
    S.post(f"/resize?width=80&type={value}", P, why="unknown types are refused")
for value in ("avif", "heif", "jxl", "ico"):
    S.post(f"/resize?width=80&type={value}", P, free=(Expect(status=400), Expect(status=200)), why="NEW formats may extend the list")
for value in ("gif", "svg", "pdf"):
    S.post(f"/resize?width=80&type={value}", P, free=Expect(status=200), why="no encoder: 400, or really produced")

for value in ("16:9", "1:1", "4:3", "9:16", "3:7", "%2016:9", "16:9:5", "16:9%20", "200:1", "1:200", "-16:9"):
    slack = 0
    for side in ("width=100", "height=100", "width=90&height=90", ""):
        S.post(f"/resize?{side}&aspectratio={value}", P, slack=slack, why="aspectratio with integer arithmetic")
for value in ("16%20:%209", "16:0", "16x9", "0:9", "a:b", ":", "16", "16:"):
    for side in ("width=100", "height=100"):
        S.post(f"/resize?{side}&aspectratio={value}", P, fix=Expect(status=(200, 400)), why="FIX: ignored or 400, never a crash")
S.post("/resize?width=100&aspectratio=", P)

# The query string itself.
for query, why in (
    ("width=100&width=50", "the first of a repeated name wins"),
    ("width=&width=50", "the first wins though it is empty"),
    ("Width=50&height=60", "names are case-sensitive"),
    ("width=100&unknown=abc", "unknown names are ignored"),
    ("wid%74h=100", "names are decoded"),
    ("width=1%30%30", "values are decoded"),
    ("width=100;height=20", "a pair with ; is dropped"),
    ("width=100&height=2;0", "a pair with ; is dropped"),
    ("width=100&height=%zz", "a pair with a bad escape is dropped"),
    ("%zz=1&width=100", "a pair with a bad escape is dropped"),
    ("width=100&height", "a name without = is empty"),
    ("&&width=100&&", "empty pairs"),
    ("width=100&=5", "an empty name"),
    ("width=100=5", "a second = belongs to the value"),
    ("width=100&flip", "a name alone is the empty value: false"),
    ("width=1+0", "+ is a space"),
    ("width=100#frag", "a fragment in the request line (FREE)"),
    ("width=100?height=50", "a second ? belongs to the value"),
    ("text=%E4%BD%A0%E5%A5%BD&width=100", "unused text may be anything"),
    ("width=100&type=png&type=jpeg", "the first type wins"),
    ("width=50&quality=abc&type=bmp", "parameters are refused before the type"),
):
    S.post("/resize?" + query, P, why=why, free=Expect(status=200) if "FREE" in why else ())
S.post("/resize?width=" + "1" * 400, P, why="a very long number")
S.post("/resize?width=0." + "0" * 300 + "1", P, why="a very long fraction")
S.post("/resize?width=100&x=" + "a" * 20000, P, why="a request line of 20 KB")
S.post("/resize?" + "&".join(f"p{index}=v" for index in range(2000)) + "&width=100", P, why="2 000 pairs")

# All parameters are checked everywhere.
for path in ("/info", "/autorotate", "/flip", "/convert?type=png", "/pipeline?operations=[]"):
    join = "&" if "?" in path else "?"
    for pair in ("width=abc", "flip=maybe", "sigma=x", "operations=%7B", "type=bmp", "quality=1e400"):
        S.post(f"{path}{join}{pair}", P, free=Expect(status=400) if pair.startswith("operations") or "operations" in path else (),
               why="parameters that the operation does not use are checked too")

# `operations` is parsed wherever it stands.
for value in ("", "x", "[]", "null", "[{}]", "{}", "%22abc%22", "[1]", "[{%22operation%22:1}]", "[{%22unknown%22:1}]", "[[]]", "%5B%7B", "true"):
    S.post(f"/resize?width=80&operations={value}", P, why="operations is a parameter of every endpoint")
S.post("/resize?width=80&operations=" + json.dumps([{"operation": "crop", "ignore_failure": "x"}]).replace(" ", "").replace('"', "%22"), P)
