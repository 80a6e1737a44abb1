"""A C compiler for the one program that runs on the machine itself, where there is any."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


def compile_native(source: Path, target: Path) -> bool:
    """Compile a program for this machine; False where no compiler is there, or it cannot."""
    commands = [[found] for name in ("cc", "gcc", "clang") if (found := shutil.which(name))]
    if find_spec("ziglang") is not None:
        commands.append([sys.executable, "-m", "ziglang", "cc"])
    for command in commands:
        line = [*command, "-O2", "-std=c11", "-o", str(target), str(source)]
        if subprocess.run(line, capture_output=True, check=False).returncode == 0:
            return True
    return False
