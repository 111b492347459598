"""Section 1: flags, environment, refusals at start-up, signals and the access log."""

import re
import signal
import subprocess
import threading
import time

from harness.model import FIXTURES, procedure

RGB = str(FIXTURES / "rgb.png")

REFUSALS = {
    "unknown flag": ["-nonsense"], "a bad number": ["-concurrency", "abc"], "a bad ttl": ["-http-cache-ttl", "x"], "a ttl below -1": ["-http-cache-ttl", "-2"], "a ttl too large": ["-http-cache-ttl", "31556927"],
    "a mount that is missing": ["-mount", "/no/such/folder"], "a mount that is a file": ["-mount", RGB], "the root as mount": ["-mount", "/"], "a placeholder that is missing": ["-placeholder", "/no/such.jpg"],
    "a placeholder that is no picture": ["-placeholder", str(FIXTURES / "garbage.bin")], "a short signature key": ["-enable-url-signature", "-url-signature-key", "short"], "no signature key": ["-enable-url-signature"],
    "missing TLS files": ["-certfile", "/no/cert.pem", "-keyfile", "/no/key.pem"], "a bad boolean": ["-cors=maybe"], "a bad resolution": ["-max-allowed-resolution", "x"], "a flag without its value": ["-key"],
}
ACCEPTED = {
    "two dashes": ["--cors"], "a value behind =": ["-http-cache-ttl=5"], "a boolean with a value": ["-cors=false", "-gzip=T", "-return-size=1", "-enable-url-source=0"], "all defaults": [],
    "accepted without effect": ["-mrelease", "10", "-gzip", "-cpus", "1"], "timeouts": ["-http-read-timeout", "5", "-http-write-timeout", "5"], "a short key without the switch": ["-url-signature-key", "short"],
    "one TLS file alone": ["-certfile", "/no/cert.pem"], "an unused placeholder status": ["-placeholder-status", "404"], "ttl 0": ["-http-cache-ttl", "0"], "ttl -1": ["-http-cache-ttl", "-1"], "a long ttl": ["-http-cache-ttl", "31556926"],
    "everything": ["-cors", "-gzip", "-key", "k", "-mount", str(FIXTURES), "-enable-url-source", "-enable-placeholder", "-enable-auth-forwarding", "-forward-headers", "A,B", "-max-allowed-size", "100000", "-max-allowed-resolution", "20.5",
                   "-concurrency", "50", "-burst", "10", "-disable-endpoints", "form", "-log-level", "warning", "-return-size", "-cpus", "2", "-mrelease", "30", "-path-prefix", "/x"],
}
for label, flags in REFUSALS.items():
    procedure("1 start-up refusals", label)(lambda tools, flags=flags: {"outcome": tools.refusal(*flags)})
for label, flags in ACCEPTED.items():
    procedure("1 start-up", label)(lambda tools, flags=flags: {"outcome": tools.refusal(*flags)})


@procedure("1 start-up refusals", "origins that do not parse", fix={"outcome": "refused"}, why="FIX: the reference then allows everything")
def bad_origins(tools):
    return {"outcome": tools.refusal("-enable-url-source", "-allowed-origins", "http://%zz")}


@procedure("1 start-up refusals", "a port in use")
def port_in_use(tools):
    with tools.start() as server:
        return {"outcome": tools.refusal("-p", str(server.port), own_port=True, patience=4)}


@procedure("1 start-up", "-h and -v end the process")
def help_and_version(tools):
    facts = {}
    words = tools.template.replace("{args}", "").split()
    for flag in ("-h", "-help", "--help", "-v", "-version", "--version"):
        done = subprocess.run([*words, flag], capture_output=True, timeout=10)
        facts[flag] = bool((done.stdout + done.stderr).strip())
    return facts


@procedure("1 start-up", "PORT in the environment wins over the flag")
def port(tools):
    with tools.start("-p", "1", env=(("PORT", "{PORT}"),), own_port=True) as server:
        facts = {"PORT": tools.send(server.port, "GET", "/health").status}
    with tools.start(env=(("PORT", ""),)) as server:
        facts["empty PORT"] = tools.send(server.port, "GET", "/health").status
    with tools.start(env=(("PORT", "0"),)) as server:
        facts["PORT=0"] = tools.send(server.port, "GET", "/health").status
    return facts


@procedure("1 start-up", "a key of 32 characters", free=())
def long_key(tools):
    return {"outcome": tools.refusal("-enable-url-signature", "-url-signature-key", "x" * 32), "31": tools.refusal("-enable-url-signature", "-url-signature-key", "x" * 31),
            "environment": tools.refusal("-enable-url-signature", env=(("URL_SIGNATURE_KEY", "y" * 32),))}


for name in ("TERM", "INT"):

    @procedure("1 signals", f"SIG{name}: what is in flight is finished, exit 0")
    def stop(tools, number=getattr(signal, f"SIG{name}")):
        with tools.start("-enable-url-source") as server:
            answers = []
            ask = threading.Thread(target=lambda: answers.append(tools.send(server.port, "GET", f"/info?url=http://{tools.world.origin.place}/slow/1200/rgb.png")))
            ask.start()
            time.sleep(0.4)
            facts = {"exit": server.signal(number)}
            ask.join()
            facts["in flight"] = answers[0].status
        return facts


LINE = re.compile(r'^(\S+) - - \[\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d\] "([^"]*)" (\d{3}) (\d+) \d+\.\d{4}$')


def logged(tools, *flags, env=()):
    """Requests of several outcomes, and the log lines they leave, with the times cut out."""
    with tools.start("-mount", "{FIXTURES}", *flags, env=env) as server:
        lengths = []
        for path in ("/info?file=rgb.png", "/resize?width=abc&file=rgb.png", "/unknown?x=%20y", "/resize?width=9&file=bomb.png", "/crop"):
            lengths.append(len(tools.send(server.port, "GET", path).body))
        tools.send(server.port, "PUT", "/info")
        tools.send(server.port, "GET", "/health")
        for _ in range(40):
            time.sleep(0.05)
            lines = [LINE.match(line) for line in server.log()]
            if sum(map(bool, lines)) >= 7:
                break
        lines = [match for match in lines if match]
    return [(m[1], m[2], m[3], "as sent" if "health" in m[2] or int(m[4]) in lengths or "PUT" in m[2] else m[4]) for m in lines]


@procedure("1 access log", "one line a request")
def log_all(tools):
    return {"lines": logged(tools)}


for level in ("info", "warning", "error"):
    procedure("1 access log", f"-log-level {level}")(lambda tools, level=level: {"lines": [line[1:3] for line in logged(tools, "-log-level", level)]})
    procedure("1 access log", f"GOLANG_LOG={level}")(lambda tools, level=level: {"lines": [line[1:3] for line in logged(tools, "-log-level", "info", env=(("GOLANG_LOG", level),))]})


@procedure("1 access log", "disabled endpoints are logged as 501 at error level")
def log_disabled(tools):
    return {"lines": [line[1:3] for line in logged(tools, "-log-level", "error", "-disable-endpoints", "crop")]}


@procedure("6.2 file", "a relative mount", fix={"from ./mount": 200, "from mount": 200, "out of it": 400}, why="FIX: ./dir")
def relative_mount(tools):
    facts = {}
    for label, mount in (("from ./mount", "./mount"), ("from mount", "mount")):
        with tools.start("-mount", mount, cwd=tools.world.folder) as server:
            facts[label] = tools.send(server.port, "GET", "/info?file=rgb.png").status
            facts["out of it"] = tools.send(server.port, "GET", "/info?file=../mount-sibling/x.png").status
    return facts


@procedure("1 timeouts", "a body that never comes is cut off", free=("answer",))
def read_timeout(tools):
    with tools.start("-http-read-timeout", "1") as server:
        began = time.monotonic()
        answer = tools.raw(server.port, b"POST /info HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", timeout=8)
        return {"in time": time.monotonic() - began < 5, "answer": answer[:60]}
