"""The source files of a program, kept in memory until they are final and then written once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brian2.devices.cpp_standalone.device import CPPWriter


class Sources(CPPWriter):
    """Brian2's writer, which knows what is in its files; `texts` has them by their names."""

    def __init__(self, project_dir: str) -> None:
        super().__init__(project_dir)
        self.texts: dict[str, str] = {}

    def write(self, filename: str, contents: Any) -> None:
        """Take a file, or, for a name that ends in ``.*``, source and header of a template."""
        if filename.endswith(".*"):
            self.write(f"{filename[:-1]}cpp", contents.cpp_file)
            self.write(f"{filename[:-1]}h", contents.h_file)
            return
        if filename.endswith((".cpp", ".c")):
            self.source_files.add(filename)
        elif filename.endswith(".h"):
            self.header_files.add(filename)
        self.texts[filename] = contents

    def to_disk(self) -> None:
        """Write all files; those that are there already stay as they are."""
        for name, text in self.texts.items():
            path = Path(self.project_dir, name)
            try:
                if path.read_text() == text:
                    continue
            except FileNotFoundError:
                pass
            path.write_text(text)
