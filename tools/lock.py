"""`make lock`: pin what set-up installs, with hashes and without addresses, for every platform.

`python tools/lock.py [--upgrade]` rewrites `requirements.txt` from `pyproject.toml` (with uv: pip alone can not pin for
other platforms) and `tools/package-lock.json` from `tools/package.json`. Both come from the package index and the
registry this machine is configured for; the files say only names, versions and hashes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"
NPM_OS = {"windows": "win32"}


def main() -> None:
    lock_python(sys.argv[1:])
    lock_opencode()


def lock_python(options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(find_uv(Path(folder)), "pip", "compile", "pyproject.toml", "--group", "dev"),
            *("--universal", "--python-version", "3.11", "--index-strategy", "unsafe-best-match"),
            *("--generate-hashes", "--no-header", "--no-annotate", "--quiet"),
            *("--output-file", "requirements.txt", *options),
        ]
        subprocess.run(command, cwd=ROOT, env=os.environ | pip_configuration(), check=True, stdout=subprocess.DEVNULL)
    say("requirements.txt")


def find_uv(folder: Path) -> str:
    """The uv on PATH, else one for this run only: it is a tool of the lock, not of the project."""
    if found := shutil.which("uv"):
        return found
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"], check=True)
    return str(folder / "bin" / "uv")


def pip_configuration() -> dict[str, str]:
    """Pip's index settings in uv's words: uv does not read pip's configuration."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    pip = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    settings = {name.rpartition(".")[2]: value.strip("'\"") for name, value in pip.items()}
    uv = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    uv |= {"cert": "SSL_CERT_FILE"}
    return {uv[name]: value for name, value in settings.items() if name in uv and uv[name] not in os.environ}


def lock_opencode() -> None:
    """Lock OpenCode for all platforms, also those whose packages this machine's registry does not have.

    `npm ci` refuses a lock that misses one of `opencode-ai`'s optional packages, and `npm install` leaves out those
    that it can not find. They are written from their names then, without a hash: npm checks them by the registry's own.
    """
    options = ("--package-lock-only", "--ignore-scripts", "--omit-lockfile-registry-resolved", "--loglevel=error")
    subprocess.run(["npm", "install", *options], cwd=TOOLS, check=True, stdout=subprocess.DEVNULL)
    file = TOOLS / "package-lock.json"
    lock = json.loads(file.read_text())
    packages: dict[str, dict[str, Any]] = lock["packages"]
    for name, version in packages["node_modules/opencode-ai"]["optionalDependencies"].items():
        known = packages.get(f"node_modules/{name}", {})
        if known.get("version") != version or "integrity" not in known:
            packages[f"node_modules/{name}"] = platform_entry(name, version)
    lock["packages"] = dict(sorted(packages.items()))
    file.write_text(json.dumps(lock, indent=2) + "\n")
    missing = [name for name, entry in lock["packages"].items() if name and "integrity" not in entry]
    say("tools/package-lock.json", *(f"without a hash (not in this registry): {name}" for name in missing))


def platform_entry(name: str, version: str) -> dict[str, Any]:
    """`opencode-linux-x64-baseline-musl` → the entry npm would write for it."""
    _, system, cpu, *variant = name.split("-")
    question = ["npm", "view", f"{name}@{version}", "dist.integrity", "--loglevel=silent"]
    integrity = subprocess.run(question, cwd=TOOLS, capture_output=True, text=True).stdout.strip()
    return {
        "version": version,
        **({"integrity": integrity} if integrity else {}),
        "cpu": [cpu],
        **({"libc": ["musl"]} if "musl" in variant else {}),
        "optional": True,
        "os": [NPM_OS.get(system, system)],
    }


def say(written: str, *notes: str) -> None:
    sys.stdout.write("\n  ".join([f"Wrote {written}", *notes]) + "\n")


if __name__ == "__main__":
    main()
