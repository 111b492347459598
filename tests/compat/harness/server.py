"""Starts one server process on a free loopback port and stops it."""

import os
import pathlib
import shlex
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Refused(Exception):
    """The process ended instead of listening."""

    def __init__(self, code, output):
        super().__init__(f"exit {code}: {output.strip()[-400:]}")
        self.code, self.output = code, output


class Server:
    """`template` is a command line with {args} where the flags go (at the end when it has none)."""

    def __init__(self, template, flags, env=(), extra=(), cwd=None, own_port=False, patience=20):
        self.port = free_port()
        words = shlex.split(template)
        port_flags = [] if own_port else ["-p", str(self.port)]
        arguments = [*port_flags, "-a", "127.0.0.1", *extra, *(flag.replace("{PORT}", str(self.port)) for flag in flags)]
        at = words.index("{args}") if "{args}" in words else len(words)
        words[at : at + 1] = arguments
        if "/" in words[0]:
            words[0] = os.path.abspath(words[0])  # it is meant from here, not from where the server is started
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment.update((key, value.replace("{PORT}", str(self.port))) for key, value in env)
        self.folder = tempfile.TemporaryDirectory(prefix="compat-")
        self.out, self.err = (pathlib.Path(self.folder.name, name) for name in ("stdout", "stderr"))
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(words, stdout=out, stderr=err, env=environment, cwd=cwd, stdin=subprocess.DEVNULL)
        self.wait(patience)

    def wait(self, patience):
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Refused(self.process.returncode, self.output())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.03)
        self.stop()
        raise Refused(None, "listens not within the time allowed\n" + self.output())

    def output(self):
        return self.out.read_text(errors="replace") + self.err.read_text(errors="replace")

    def log(self):
        """Lines of standard output so far."""
        return self.out.read_text(errors="replace").splitlines()

    def signal(self, number, patience=10):
        """Sends a signal and waits; → exit code, or None when the process is still there."""
        self.process.send_signal(number)
        try:
            return self.process.wait(patience)
        except subprocess.TimeoutExpired:
            return None

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(6)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()
