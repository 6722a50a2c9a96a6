"""Runs examples/*.ipynb in Deno's Jupyter kernel and fails where a cell does, or shows nothing that it should.

Usage: python tools/notebooks.py [--write]     --write keeps the outputs in the files
Needs: pip install nbclient ipykernel; deno jupyter --install
"""
import pathlib
import sys

import nbformat
from nbclient import NotebookClient

FOLDER = pathlib.Path(__file__).parent.parent / "examples"


def kinds(cell):
    """The MIME types that a cell shows."""
    return {kind for output in cell.outputs for kind in output.get("data", {})}


def run(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="deno", resources={"metadata": {"path": str(FOLDER)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for wanted in cell.metadata.get("shows", []):
            if wanted not in kinds(cell):
                raise SystemExit(f"{path.name}: a cell shows {sorted(kinds(cell))}, not {wanted}:\n{cell.source}")
        for output in cell.outputs:
            output.get("metadata", {}).pop("transient", None)
        cell.metadata.pop("execution", None)  # times, which differ every time
    return notebook


for path in sorted(FOLDER.glob("*.ipynb")):
    notebook = run(path)
    if "--write" in sys.argv:
        nbformat.write(notebook, path)
    print(f"{path.name}: {sum(c.cell_type == 'code' for c in notebook.cells)} cells ran")
