"""Run every example and make the page that shows them with their figures.

An example is a script in ``docs/examples``. The first line of its docstring is the title, the rest
a description; a header comment ``# writes: one.png, two.csv`` names the files that it leaves in
the folder given by the environment variable ``BIOMOD_EXAMPLE_OUT`` (default: the current one).
A comment ``# slow`` leaves its run to ``make validate``.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "examples"
IMAGES = (".png", ".svg", ".jpg")
WRITES = re.compile(r"^#\s*writes:\s*(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """One runnable script of the documentation."""

    path: Path
    title: str
    text: str
    writes: tuple[str, ...]
    slow: bool

    @classmethod
    def read(cls, path: Path) -> Example:
        source = path.read_text(encoding="utf-8")
        title, _, text = (ast.get_docstring(ast.parse(source)) or "").partition("\n")
        names = ",".join(WRITES.findall(source)).split(",")
        writes = tuple(name.strip() for name in names if name.strip())
        slow = bool(re.search(r"^# slow$", source, re.MULTILINE))
        return cls(path, title.strip().rstrip("."), text.strip(), writes, slow)

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def figures(self) -> tuple[str, ...]:
        return tuple(name for name in self.writes if name.endswith(IMAGES))

    def run(self, out: Path, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        """Run in the folder `out`, with the figures going there too."""
        environment = {**os.environ, "MPLBACKEND": "Agg", "BIOMOD_EXAMPLE_OUT": str(out)}
        # Importable without an installation, as the tests are.
        root = str(FOLDER.parent.parent)
        path = [root, *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(path)
        return subprocess.run(
            [sys.executable, str(self.path)],
            cwd=out,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def examples(folder: Path = FOLDER) -> list[Example]:
    """All examples, by file name."""
    return [Example.read(path) for path in sorted(folder.glob("[!_]*.py"))]


def page(found: list[Example]) -> str:
    """The gallery, in MyST Markdown."""
    lines = [
        "# Examples",
        "",
        "Each of these is one script that runs as it stands; the figures were drawn when these",
        "pages were built. The tests run them too.",
    ]
    for example in found:
        lines += ["", f"({example.name})=", f"## {example.title or example.name}", ""]
        if example.text:
            lines += [example.text, ""]
        for figure in example.figures:
            alt = f"Figure of the example {example.name}"
            lines += [f"![{alt}](figures/{example.name}/{figure})", ""]
        lines += [
            f"<details><summary>{example.path.name}</summary>",
            "",
            f"```{{literalinclude}} {example.path.name}",
            ":language: python",
            "```",
            "",
            "</details>",
        ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-run", action="store_true", help="only the page, with old figures")
    args = parser.parse_args()

    found = examples()
    failed = []
    for example in [] if args.no_run else found:
        print(f"{example.name} …", file=sys.stderr, flush=True)
        out = FOLDER / "figures" / example.name
        out.mkdir(parents=True, exist_ok=True)
        done = example.run(out)
        if done.returncode != 0:
            failed.append(example.name)
            print(done.stderr, file=sys.stderr)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "index.md").write_text(page(found), encoding="utf-8")
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
