"""The server of a page, in a process without threads: it forks."""

import subprocess
import sys

EARLY = """
import http.client
import threading
from urllib.parse import urlsplit
from jitinspect.cli.page_server import PageServer, Served

def asked(path):
    connection = http.client.HTTPConnection(place.netloc, timeout=200)
    connection.request("GET", path)
    return connection.getresponse().read().decode()

with PageServer() as server:
    place = urlsplit(server.url)
    threading.Timer(0.3, server.show, [Served(b"the page", 1)]).start()
    print(asked(place.path), asked(place.path + "version"), asked("/elsewhere"), sep="|")
"""


def test_who_asks_before_the_first_page_is_there_gets_it_then():
    done = subprocess.run([sys.executable, "-c", EARLY], capture_output=True, text=True, timeout=300)
    page, version, elsewhere = done.stdout.split("|")
    assert page == "the page" and '"version": 1' in version and elsewhere == "\n"
