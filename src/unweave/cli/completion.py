"""`unweave completion`."""

from __future__ import annotations

__all__ = ["Completion"]

from dataclasses import dataclass
from typing import Annotated, Literal, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common


@final
@dataclass(kw_only=True)
class Completion(Common):
    """Print a script with which bash or zsh completes commands, flags and their values.

    For bash, in ~/.bashrc: eval "$(unweave completion bash)". For zsh: unweave completion zsh >
    _unweave, in a folder of $fpath.
    """

    shell: Positional[
        Annotated[Literal["bash", "zsh"], arg(metavar="bash|zsh", help_behavior_hint="")]
    ]
    """The shell that shall read it."""

    def run(self) -> int:
        """Print it."""
        # Only now: the table of commands holds this one, too.
        from unweave.cli.app import COMMANDS
        from unweave.cli.shells import SCRIPTS, words_of

        script = SCRIPTS[self.shell](words_of(COMMANDS))
        self.emit({"shell": self.shell, "script": script}, script)
        return 0
