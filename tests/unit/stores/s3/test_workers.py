"""Threads for calls that block outside Python."""

import signal
import socket
import subprocess
import sys
from concurrent.futures import CancelledError, wait
from threading import Barrier, Event, current_thread

import pytest
from tests.servers.process import HOST

from firnline.stores.errors import UnavailableError
from firnline.stores.s3.workers import Workers

STUCK = """
import signal, sys
from firnline.stores.s3.address import S3Place, resolve
from firnline.stores.s3.keys import Keys
from firnline.stores.s3.objects import Objects
from firnline.stores.s3.workers import Workers
address = resolve(S3Place("bucket", ""), {"endpoint": sys.argv[1]})
signal.signal(signal.SIGTERM, signal.default_int_handler)
try:
    Objects(address, Keys("ID", "secret"), Workers(2)).size("a")
except KeyboardInterrupt:
    print("heard")
"""


def test_results_and_errors():
    """Who waits gets the result, or the error."""
    workers = Workers(2)

    def fail() -> None:
        raise UnavailableError("a", "away")

    assert workers.run(lambda: current_thread().name) == "firnline-s3"
    with pytest.raises(UnavailableError, match="away"):
        workers.run(fail)
    assert workers.run(lambda: 1) == 1
    workers.close()


def test_at_once():
    """So many calls at once as there may be threads, and the others wait."""
    workers, start = Workers(3), Barrier(4)
    begun = [workers.submit(start.wait) for _ in range(3)]
    more = workers.submit(lambda: 7)
    start.wait(10)
    assert len({each.result(10) for each in begun}) == 3
    assert more.result(10) == 7
    workers.close()


def test_from_one_of_them():
    """A call within a call is made on the spot: waiting for each other they would wait for ever."""
    workers = Workers(1)
    assert workers.run(lambda: workers.run(lambda: 1) + 1) == 2
    workers.close()


def test_after_the_end():
    """What waited is cancelled, what was begun ends, and a late call is made on the spot."""
    workers, go_on, begun = Workers(1), Event(), Event()

    def slow() -> str:
        begun.set()
        go_on.wait(10)
        return "done"

    running, waiting = workers.submit(slow), workers.submit(lambda: None)
    begun.wait(10)
    workers.close()
    go_on.set()
    assert running.result(10) == "done"
    with pytest.raises(CancelledError):
        waiting.result(10)
    assert workers.submit(lambda: None).cancelled()
    assert workers.run(lambda: 2) == 2
    workers.close()
    wait([running])


def test_a_signal_is_heard_and_a_hanging_server_holds_nobody():
    """Ctrl-C ends the program at once, while a server that never answers is asked."""
    with socket.create_server((HOST, 0)) as server:
        command = [sys.executable, "-c", STUCK, f"http://{HOST}:{server.getsockname()[1]}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            accepted, _ = server.accept()
            with accepted:
                assert accepted.recv(1) == b"H"
                process.send_signal(signal.SIGTERM)
                said, _ = process.communicate(timeout=30)
    assert said == b"heard\n"
    assert process.returncode == 0
