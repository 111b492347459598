"""Section 6: body, file and URL."""

from harness.model import Expect, fixture, multipart, suite

B = suite("6.1 body")
BOTH = suite("6 sources", "-mount", "{FIXTURES}", "-enable-url-source")
ONLY_FILE = suite("6 sources", "-mount", "{FIXTURES}")
ONLY_URL = suite("6 sources", "-enable-url-source")
F = suite("6.2 file", "-mount", "{TMP}/mount")
U = suite("6.3 url", "-enable-url-source")
OK = "/resize?width=40&type=png"
PNG = fixture("rgb.png")
MARK = fixture("mark.png")

# Body.
for kind in ("application/octet-stream", "image/png", "", "application/x-www-form-urlencoded", "text/plain; charset=utf-8", "form-data", "Multipart", "application/json"):
    B.add("POST", OK, "rgb.png", headers=[("Content-Type", kind)] if kind else [("X-None", "1")], why="any other Content-Type: raw body")
    B.add("POST", OK, "rgb.png", headers=[("Content-Type", kind)] if kind else [("X-None", "1")], chunked=True, why="chunked")
for empty in ("application/octet-stream", "multipart/form-data; boundary=x"):
    B.add("POST", OK, b"", headers=[("Content-Type", empty)], why="an empty body")
    B.add("POST", OK, b"", headers=[("Content-Type", empty)], chunked=True, why="an empty chunked body")
B.post(OK, "photo.jpg", chunked=True, must=Expect(size=(40, 54)))
B.post("/resize?width=40&file=missing.png&url=http://nowhere.invalid/", "rgb.png", why="a POST reads its body, whatever the query says")


def form(*parts, why="", target=OK, free=(), **rest):
    kind, data = multipart(*parts, **rest)
    B.post(target, data, type=kind, why=why, free=free)


form(("file", "a.png", "image/png", PNG), why="the plain form")
form(("file", "a.png", "text/plain", MARK), why="the part's type does not count")
form(("file", "a.png", None, MARK), why="no type at all")
form(("other", None, None, b"value"), ("file", "a.png", "image/png", MARK), ("more", None, None, b"x"), why="other fields around it")
form(("other", "x.png", "image/png", PNG), ("file", "a.png", "image/png", MARK), why="another file before it")
form(("file", "a.png", "image/png", MARK), ("file", "b.png", "image/png", PNG), why="the first part named file")
form(("file", "", "image/png", MARK), why="an empty filename", free=Expect(status=200))
form(("file", None, None, MARK), why="no filename: not a file")
form(("file", None, "image/png", MARK), why="no filename but a type", free=(Expect(status=200), Expect(status=400)))
form(("image", "a.png", "image/png", MARK), why="no part named file")
form(("File", "a.png", "image/png", MARK), why="names are case-sensitive")
form(("file", "a.png", "image/png", b""), why="an empty part")
form(("file", "../../etc/passwd", "image/png", MARK), why="the filename is not used")
form(("file", "ünï \\\" x.png", "image/png", MARK), why="a filename with quotes")
form(why="no part at all")
form(("width", None, None, b"999"), ("file", "a.png", "image/png", MARK), target="/resize?width=20&type=png", why="form fields are not parameters")
form(("width", None, None, b"20"), ("file", "a.png", "image/png", MARK), target="/resize", why="form fields are not parameters")
form(("file", "a.bin", "image/png", b"garbage" * 20), why="a part that is no picture")
form(("file", "a.png", "image/png", MARK), close=False, why="truncated: no end boundary", free=Expect(status=400))
form(("file", "a.png", "image/png", MARK), boundary="x" * 70, why="the longest boundary")
form(("file", "a.png", "image/png", MARK), boundary="a'b+c", why="a boundary with punctuation")
form(*[(f"f{index}", None, None, b"v") for index in range(10)], ("file", "a.png", "image/png", MARK), why="ten fields before the file")
good, data = multipart(("file", "a.png", "image/png", MARK))
B.post(OK, data, type="multipart/form-data", why="no boundary parameter")
B.post(OK, data, type="multipart/form-data; boundary=", why="an empty boundary", free=Expect(status=400))
B.post(OK, data, type='multipart/form-data; boundary="phasorboundary"', why="a quoted boundary")
B.post(OK, data, type="multipart/form-data; boundary=other", why="another boundary")
B.post(OK, data, type="multipart/form-data; charset=utf-8; boundary=phasorboundary", why="more parameters")
B.post(OK, data, type="Multipart/Form-Data; boundary=phasorboundary", why="the prefix is lower case", free=Expect(status=200))
B.post(OK, data, type="multipart/mixed; boundary=phasorboundary", why="multipart/mixed", free=Expect(status=400))
B.post(OK, data, type="multipart/related; boundary=phasorboundary", why="not form data")
B.post(OK, data, type="multipart/", why="half a type", free=Expect(status=400))
B.post(OK, data, type=good, chunked=True, why="a chunked form")
B.post(OK, b"preamble\r\n" + data + b"epilogue", type=good, why="preamble and epilogue")
B.post(OK, data.replace(b"\r\n", b"\n", 4), type=good, why="bare line feeds", free=(Expect(status=200), Expect(status=400)), pixels="skip")
for cut in (5, 40, 90, 130, len(data) - 20):
    B.post(OK, data[:cut], type=good, why=f"truncated after {cut} bytes", free=Expect(status=400) if cut > 20 else (Expect(status=400),), recordable=False)

# Which source.
for setup, name in ((BOTH, "both"), (ONLY_FILE, "file only"), (ONLY_URL, "url only")):
    setup.get("/resize?width=40", why=f"{name}: no source named")
    setup.get("/resize?width=40&file=", why="an empty file name")
    setup.get("/resize?width=40&url=", why="an empty url", free=Expect(status=400))
    setup.post("/resize?width=40&file=rgb.png&url=http://{ORIGIN}/f/rgb.png", "mark.png", why="a POST reads its body")
    setup.get("/info?type=png", why="info without a source")
    setup.add("POST", "/resize?width=40&file=rgb.png", b"", why="a POST with nothing does not fall back to file")
BOTH.get("/info?file=rgb.png&url=http://{ORIGIN}/f/mark.png", fix=Expect(status=200, json={"width": 160}), why="both given: file")
ONLY_URL.get("/info?file=rgb.png", fix=Expect(status=400), why="FIX: file= without -mount")
ONLY_FILE.get("/info?url=http://{ORIGIN}/f/rgb.png", fix=Expect(status=400), why="FIX: url= without the switch")
ONLY_FILE.get("/info?file=rgb.png")
ONLY_URL.get("/info?url=http://{ORIGIN}/f/rgb.png")

# File.
REFUSED = Expect(status=400, message="Invalid file path")
for value, why in (
    ("photo.jpg", "a file"), ("sub/deep.png", "in a folder"), ("./rgb.png", "a dot"), ("sub/../rgb.png", "cleaned, inside"), ("/rgb.png", "a leading slash"), ("//rgb.png", "two slashes"),
    ("sub//deep.png", "two slashes inside"), ("a%20b.png", "a space"), ("a+b.png", "+ is a space"), ("a%252Bb.png", "decoded once more"), ("100%2525.png", "decoded once more"),
    ("%C3%BCn%C3%AF.png", "not ASCII"), ("..dots.png", "two dots that are no parent"), ("missing.png", "missing"), ("sub", "a directory"), ("", "empty"), ("..", "the parent"),
    (".", "the mount itself"), ("../mount/rgb.png", "out and in again"), ("sub/../../mount/rgb.png", "out and in again"), ("%2e%2e/mount-sibling/x.png", "a sibling, encoded"),
    ("/etc/passwd", "an absolute path"), ("../../../../../../etc/passwd", "up"), ("%252e%252e%252fmount-sibling%252fx.png", "up, encoded twice"), ("rgb.png%2500", "NUL"), ("rgb.png%00", "NUL"),
    ("sub/deep.png/", "a trailing slash"), ("rgb.png/x", "a file as a folder"), ("inside.png", "a link that stays inside"), ("%25zz.png", "a bad escape"), ("..%5Cmount%5Crgb.png", "backslashes"),
    ("file:///etc/passwd", "a URL"), ("RGB.PNG", "case"), ("a" * 300, "a long name"), ("a/" * 2000, "a long path"), ("rgb.png%20", "a trailing space"), ("empty.png", "an empty file"),
    ("~/rgb.png", "a tilde"), ("$HOME", "a variable"), ("rgb%2Epng", "a needless escape"), ("sub%2Fdeep.png", "an encoded slash"),
):
    free = ()
    if why == "out and in again":
        free = (Expect(status=200), REFUSED)
    if "sibling" in value or why == "up, encoded twice":
        F.get(f"/info?file={value}", fix=REFUSED, why="FIX: " + why)
        continue
    if why in ("a bad escape",) or value == "a+b.png":
        free = (Expect(status=200), Expect(status=400))
    F.get(f"/info?file={value}", why=why, free=free)
F.get("/info?file=../mount-sibling/x.png", fix=REFUSED, why="FIX: a folder whose name begins like the mount's")
F.get("/info?file=outside.png", fix=REFUSED, why="a link that leaves the mount (its own switch would allow it)")
F.get("/info?file=a%2Bb.png", free=(Expect(status=200),), why="single-encoded plus (FREE)")
F.get("/info?file=100%25.png", free=(Expect(status=200),), why="single-encoded percent (FREE)")

# URL.
GOOD = "http://{ORIGIN}/f/rgb.png"
for value, why in (
    (GOOD, "a picture"), ("http://{ORIGIN}/f/rgb.png?x=1%26y=2", "with a query"), ("http://{ORIGIN}/f/rgb.png%23frag", "with a fragment"), ("HTTP://{ORIGIN}/f/rgb.png", "an upper-case scheme"),
    ("http://localhost:{PORT_OF_ORIGIN}/f/rgb.png", "by name"), ("http%3A%2F%2F{ORIGIN}%2Ff%2Frgb.png", "encoded"), ("http://{ORIGIN}/f/%C3%BC/rgb.png", "a path that is not ASCII"),
    ("http://{ORIGIN}/f/a%2520b/rgb.png", "an encoded space in the path"), ("http://{ORIGIN}//f//rgb.png?f=rgb.png", "double slashes"), ("http://{ORIGIN}/cached/rgb.png", "cache headers are not copied"),
    ("http://{ORIGIN}/nolength/rgb.png", "no Content-Length"), ("http://{ORIGIN}/chunked/rgb.png", "chunked"), ("http://{ORIGIN}/liar/rgb.png", "a wrong Content-Type"), ("http://{ORIGIN}/gzip/rgb.png", "gzip when asked"),
    ("http://{ORIGIN}/slow/400/rgb.png", "a slow answer"), ("http://{ORIGIN}/html", "HTML that says it is a JPEG"), ("http://{ORIGIN}/f/empty.bin", "an empty answer"), ("http://{ORIGIN}/f/garbage.bin", "garbage"),
    ("http://{ORIGIN}/short/photo.jpg", "a short body"), ("http://{ORIGIN}/reset/rgb.png", "a reset"), ("http://127.0.0.1:1/rgb.png", "nobody listens"), ("http://{ORIGIN}/redirect/1/rgb.png", "one redirect"),
    ("http://{ORIGIN}/redirect/9/rgb.png", "nine redirects"), ("http://{ORIGIN}/redirect/10/rgb.png", "ten redirects"), ("http://{ORIGIN}/redirect/11/rgb.png", "eleven redirects"), ("http://{ORIGIN}/loop/rgb.png", "a loop"),
    ("http://{ORIGIN}/to?u=http://{ORIGIN2}/f/rgb.png", "to another port"), ("http://{ORIGIN}/to?u=//{ORIGIN2}/f/rgb.png", "scheme-relative"), ("http://{ORIGIN}/to?u=rgb.png", "relative"),
    ("http://{ORIGIN}/to?u=ftp://{ORIGIN2}/rgb.png", "to another scheme"), ("http://{ORIGIN}/to?u=file:///etc/passwd", "to a file"), ("http://{ORIGIN}/to?u=", "an empty Location"),
    ("%25zz", "a bad escape"), ("http://%25zz/", "a bad escape in the host"), ("http://[::1/x", "bad IPv6"), ("http://[zz]/x", "bad IPv6"), ("ftp://{ORIGIN}/f/rgb.png", "FTP"), ("file:///etc/passwd", "a file"),
    ("gopher://x/", "gopher"), ("data:image/png;base64,AAAA", "data"), ("//{ORIGIN}/f/rgb.png", "no scheme"), ("{ORIGIN}/f/rgb.png", "no scheme"), ("rgb.png", "no scheme"), ("http:///f/rgb.png", "no host"), ("http://", "no host"),
    ("http:{ORIGIN}/f/rgb.png", "opaque"), (":", "a colon"), ("http://{ORIGIN}:99999/x", "a bad port"), ("http://a b/x", "a space in the host"), ("javascript:alert(1)", "a script"), ("http://127.0.0.1:99999/x", "a port out of range"),
):
    free = ()
    if any(word in why for word in ("scheme", "host", "bad", "FTP", "file", "gopher", "data", "opaque", "colon", "script", "port out", "listens", "reset", "short", "loop", "eleven", "empty Location", "ten redirects")) and why not in ("an upper-case scheme", "scheme-relative"):
        free = (Expect(status=400, message="Invalid image URL"), Expect(status=400, message_has="error fetching remote http image"))
        if why == "a short body":
            free += (Expect(status=400),)
        if why == "ten redirects":
            free += (Expect(status=200),)
    U.get("/info?url=" + value.replace(" ", "%20"), why=why, free=free)
for code in (201, 204, 206, 300, 304, 305, 400, 401, 403, 404, 410, 418, 429, 451, 499, 500, 502, 503, 504, 511, 512, 520, 599):
    U.get("/info?url=http://{ORIGIN}/status/" + f"{code}/rgb.png", why="status ≠ 200", free=Expect(status=503) if code in (300, 305) else ())
for code in (301, 302, 303, 307, 308):
    U.get("/info?url=http://{ORIGIN}/code/" + f"{code}/rgb.png", why="redirects followed")
for value in ("User-Agent", "X-Custom", "Cookie", "Authorization", "Accept-Language", "Referer", "X-Forwarded-For"):
    if value != "User-Agent":
        U.get("/info?url=http://{ORIGIN}/absent?h=" + value + "%26f=rgb.png", headers=[(value, "v")], why="nothing of the client's is forwarded")
U.get("/info?url=http://user:pass@{ORIGIN}/need?h=Authorization%26v=Basic dXNlcjpwYXNz%26f=rgb.png".replace(" ", "%2520"), free=Expect(status=400), why="userinfo becomes Basic auth (FREE)")
U.get("/resize?width=50&url=http://{ORIGIN}/f/photo.jpg&type=webp", why="the whole way")
U.get("/resize?width=50&type=auto&url=http://{ORIGIN}/cached/photo.jpg", headers=[("Accept", "image/webp")], must=Expect(headers={"etag": lambda value: value != '"x"', "x-origin": None}), why="source headers are not copied")
