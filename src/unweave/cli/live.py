"""`unweave watch`: curves and reconstructions in a page of this machine."""

from __future__ import annotations

__all__ = ["Watch"]

from dataclasses import dataclass
from typing import Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag, Int, say, to_number


@final
@dataclass(kw_only=True)
class Watch(Common):
    """Show a training in the browser while it runs, or after.

    For instance: unweave watch runs/first, in another terminal than the training. Curves of
    losses, terms and KL of each latent, current reconstructions, time left. Of a study, a
    population or any folder with runs in it, all runs, each with a link to its page. The page is
    for this machine alone; Ctrl-C ends it, and no training.
    """

    run_folder: Positional[Annotated[str, arg(metavar="RUN", help_behavior_hint="")]]
    """Run folder, finished or not, or a folder with runs in it."""

    port: Int = None
    """Port of the page (default: one that is free)."""

    no_browser: Flag = False
    """Only print the address."""

    def run(self) -> int:
        """Serve the page until Ctrl-C."""
        import contextlib
        import os
        import threading
        import webbrowser
        from pathlib import Path

        from unweave.errors import SpecError
        from unweave.live import LiveServer

        port = to_number("--port", self.port, int) or 0
        if not 0 <= port < 2**16:
            raise SpecError(f"--port must be at most 65535, but is {port}.")
        try:
            server = LiveServer(Path(self.run_folder), port)
        except OSError as error:
            raise SpecError(
                f"Port {port} cannot be had: {error.strerror}. Choose another --port, or none."
            ) from error
        if hasattr(os, "nice"):
            # Trainings come first.
            os.nice(10)
        with server, contextlib.suppress(KeyboardInterrupt):
            self.emit({"url": server.url, "folder": self.run_folder}, server.url)
            if not self.json:
                say("Ctrl-C ends the page, and no training.")
                if not self.no_browser:
                    # Some browsers are waited for, and ask for the page meanwhile.
                    opening = threading.Thread(target=webbrowser.open, args=(server.url,))
                    opening.daemon = True
                    opening.start()
            server.serve_forever(poll_interval=0.2)
        return 0
