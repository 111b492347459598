"""One request, one answer, nothing tidied up in between."""

import dataclasses
import http.client
import json
import socket
import time


@dataclasses.dataclass
class Answer:
    """`status` 0 means that the server closed the connection without one; `error` says how."""

    status: int
    headers: list
    body: bytes
    seconds: float = 0.0
    error: str = ""

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def message(self):
        body = self.json()
        return body.get("message") if isinstance(body, dict) else None

    def kind(self):
        return (self.header("content-type") or "").split(";")[0].strip()


def chunks(body, size=4096):
    for at in range(0, len(body), size):
        yield body[at : at + size]


def send(port, method, target, headers=(), body=None, chunked=False, timeout=30, host="127.0.0.1"):
    began = time.monotonic()
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        names = {name.lower() for name, _ in headers}
        connection.putrequest(method, target, skip_host="host" in names, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None and chunked:
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders(chunks(body), encode_chunked=True)
        elif body is not None:
            if "content-length" not in names:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            try:
                connection.send(body)
            except OSError:
                pass  # refused before it was read: the answer says why
        else:
            if method == "POST":
                connection.putheader("Content-Length", "0")
            connection.endheaders()
        response = connection.getresponse()
        data = response.read()
        return Answer(response.status, response.getheaders(), data, time.monotonic() - began)
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, [], b"", time.monotonic() - began, f"{type(error).__name__}: {error}")
    finally:
        connection.close()


def raw(port, data, timeout=5, wait=0.0, host="127.0.0.1"):
    """Writes bytes as they are and reads until the server closes or is silent for `timeout` seconds."""
    out = b""
    with socket.create_connection((host, port), timeout=timeout) as connection:
        connection.sendall(data)
        time.sleep(wait)
        try:
            while part := connection.recv(65536):
                out += part
        except OSError:
            pass
    return out
