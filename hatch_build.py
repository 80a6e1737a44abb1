"""Builds the native part into a wheel, where there is something to compile it with.

``wasi_host/native/build.py`` says with what. Without a compiler, or where it fails, the wheel is
pure, everything works, and ``wasi-host doctor`` says so. The variables ``WASI_HOST_TARGET`` (for
``zig cc -target``) and ``WASI_HOST_WHEEL_TAG`` cross-build: ``.ci/wheels`` sets both.
"""

import importlib.util
import os
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INSIDE = "wasi_host/native/_host.so"


class NativePart(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles the shared object; in a checkout it stays where the loader looks for it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and make the wheel one for this platform."""
        if self.target_name != "wheel":
            return
        build = _load(Path(self.root) / "wasi_host" / "native" / "build.py")
        target = os.environ.get("WASI_HOST_TARGET")
        made: Path = build.TARGET
        try:
            if target:
                made = made.with_name(f"_host.{target}.so")
                build.compile_to(made, build.zig(), "-target", target)
            else:
                made.unlink(missing_ok=True)  # one of an earlier version
                build.compile_to(made, build.compiler())
        except (RuntimeError, OSError) as error:
            if target:
                raise
            self.app.display_warning(f"without the native part: {error}")
            return
        if version != "editable":
            build_data["force_include"][str(made)] = INSIDE
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            tag = os.environ.get("WASI_HOST_WHEEL_TAG", f"py3-none-{platform}")
            build_data["tag"] = tag


def _load(path: Path) -> Any:  # noqa: ANN401  a module
    """Load a file without its package, whose dependencies are not there yet."""
    spec = importlib.util.spec_from_file_location("wasi_host_native_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
