"""The environment of the rivals' packages, made when first needed; the product never sees it."""

import shutil
import subprocess
import sys
from pathlib import Path

from bench.figures import Figures
from bench.scale import QUICK, Scale

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "bench" / "requirements.txt"
RIVALS = "rivals"
INSTALL_SECONDS = 180


def rivals_python(folder: Path, scale: Scale, figures: Figures) -> str | None:
    """Return the Python that has django-hordak and dj-stripe, or say why there is none."""
    if scale is QUICK:
        figures.skip("django-hordak and dj-stripe", "a quick run installs nothing")
        return None
    stamp = folder / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != REQUIREMENTS.read_bytes():
        try:
            install(folder)
        except (OSError, subprocess.SubprocessError) as error:
            figures.skip("django-hordak and dj-stripe", f"the install failed ({reason(error)})")
            return None
        shutil.copy(REQUIREMENTS, stamp)
    return str(folder / "bin" / "python")


def install(folder: Path) -> None:
    """Make the environment anew, by uv or else by pip, from hashed requirements."""
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "venv", str(folder))
    wanted = ["--require-hashes", "-r", str(REQUIREMENTS)]
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        run(str(uv), "pip", "install", "--quiet", "--python", str(python), *wanted)
    else:
        run(str(python), "-m", "pip", "install", "--quiet", *wanted)


def run(*words: str) -> None:
    """Run one step; what it says in vain is kept for the error."""
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=INSTALL_SECONDS)  # noqa: S603


def reason(error: Exception) -> str:
    """Return the last words of a step that failed."""
    said = getattr(error, "stderr", None) or str(error)
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    lines = text.strip().splitlines()
    return lines[-1] if lines else type(error).__name__
