"""A fake origin: an HTTP server on loopback that serves the fixtures and misbehaves on request.

The first path segment says how; the last one is the fixture. An unknown first segment just serves the fixture, so
/img/photo.jpg and /my-bucket/photo.jpg are ordinary pictures.
"""

import gzip
import http.server
import threading
import time
import urllib.parse

from .model import FIXTURES

KINDS = {".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".svg": "image/svg+xml"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def plain(self, status, body, headers=(), length=None):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def answer(self, with_body):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        parts = [urllib.parse.unquote(part) for part in url.path.split("/")[1:]]
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        how, name = parts[0], query.get("f") or parts[-1]
        path = FIXTURES / name
        data = path.read_bytes() if name and "/" not in name and path.is_file() else b""
        kind = ("Content-Type", KINDS.get(path.suffix, "application/octet-stream"))
        if how == "status":
            code = int(parts[1])
            self.plain(code, data or b"as asked", [kind])
        elif how == "redirect":
            left = int(parts[1])
            to = f"/redirect/{left - 1}/{name}" if left > 1 else f"/f/{name}"
            self.plain(302, b"", [("Location", to)])
        elif how == "code":
            self.plain(int(parts[1]), b"", [("Location", f"/f/{name}")])
        elif how == "loop":
            self.plain(302, b"", [("Location", self.path)])
        elif how == "to":
            self.plain(302, b"", [("Location", query["u"])])
        elif how == "need":
            right = self.headers.get(query["h"]) == query["v"]
            self.plain(200 if right else 403, data if right else b"no", [kind])
        elif how == "absent":
            right = query["h"] not in self.headers
            self.plain(200 if right else 403, data if right else b"no", [kind])
        elif how == "short":
            self.plain(200, data[: len(data) // 2], [kind], length=len(data))
            self.close_connection = True
        elif how in ("nolength", "headlie", "chunked"):
            if how == "headlie" and not with_body:
                return self.plain(200, b"", [kind], length=10)
            self.send_response(200)
            self.send_header(*kind)
            self.send_header(*(("Connection", "close") if how == "nolength" else ("Transfer-Encoding", "chunked")))
            self.end_headers()
            if with_body and how == "nolength":
                self.wfile.write(data)
            elif with_body:
                for at in range(0, len(data), 3000):
                    part = data[at : at + 3000]
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                self.wfile.write(b"0\r\n\r\n")
            self.close_connection = how == "nolength"
        elif how == "headfail" and not with_body:
            self.plain(500, b"")
        elif how == "cached":
            self.plain(200, data, [kind, ("Cache-Control", "max-age=77"), ("ETag", '"x"'), ("X-Origin", "yes")])
        elif how == "html":
            self.plain(200, b"<!doctype html><title>no picture</title>" * 10, [("Content-Type", "image/jpeg")])
        elif how == "liar":
            self.plain(200, data, [("Content-Type", "text/html")])
        elif how == "gzip":
            if "gzip" in self.headers.get("Accept-Encoding", ""):
                self.plain(200, gzip.compress(data, mtime=0), [kind, ("Content-Encoding", "gzip")])
            else:
                self.plain(200, data, [kind])
        elif how == "slow":
            time.sleep(int(parts[1]) / 1000)
            self.plain(200, data, [kind])
        elif how == "reset":
            self.close_connection = True
            self.connection.close()
        elif not data and not (path.is_file() and name):
            self.plain(404, b"not here")
        else:
            self.plain(200, data, [kind])


class Origin(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen = []
        self.place = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # clients that hang up are part of the tests
