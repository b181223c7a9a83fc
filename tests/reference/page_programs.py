"""Programs of pages, each in a process of its own that has imported what takes long."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Runner", "ask", "running"]

# Runs each program that it is sent in a fork and an empty folder of its own; what takes long has
# been imported.
RUNNER = """
import gc, json, os, sys, tempfile, traceback, types
import torch, torch._dynamo, unweave.run, unweave.studies, unweave.metrics, unweave.analysis
import scipy.optimize, scipy.spatial, scipy.stats, sklearn.ensemble, sklearn.linear_model
import sklearn.multiclass, sklearn.preprocessing, sklearn.svm, sklearn.tree
from unweave.plots import *  # of which each name is imported when it is used

# Forks leave alone what is there by now, which the garbage collector would write into.
gc.collect()
gc.freeze()

def run(code):
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    try:
        exec(compile(code, "<page>", "exec"), module.__dict__)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for line in sys.stdin:
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        tempfile.TemporaryDirectory() as folder,
    ):
        child = os.fork()
        if child == 0:
            os.chdir(folder)
            for number, file in enumerate([open(os.devnull, "rb"), out, err]):
                os.dup2(file.fileno(), number)
            code = run(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = [(file.seek(0), file.read().decode())[1] for file in (out, err)]
    print(json.dumps([code, *said]), flush=True)
"""

Runner = subprocess.Popen[str]


@contextmanager
def running() -> Iterator[Runner]:
    """A process that runs programs, none of which another one sees anything of."""
    command = [sys.executable, "-c", RUNNER]
    with subprocess.Popen(
        command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def ask(runner: Runner, code: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a program."""
    assert runner.stdin is not None
    assert runner.stdout is not None
    print(json.dumps(code), file=runner.stdin, flush=True)
    returned, out, err = json.loads(runner.stdout.readline())
    return returned, out, err
