"""A server of a page, for as long as a test asks it."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from unweave.live import LiveServer


@contextmanager
def serving(folder):
    with LiveServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
