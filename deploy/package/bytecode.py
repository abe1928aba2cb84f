"""`python -X no_debug_ranges bytecode.py [--without-docstrings] FOLDER`: compile the libraries in a folder, in place.

Run by the Python that the code is for, with whatever else that one has installed, so it imports nothing of ours. The
sources go, and with the -X flag the columns of errors, which cannot be shown without the source; the lines of a
traceback stay. Without docstrings, assertions stay all the same, which `python -OO` would drop, too.
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

UNCHECKED = (1).to_bytes(4, "little")
"""PEP 552: known by a hash that is not checked. Unpacking changes the times of files, and code that depends on them
would be compiled at each start."""


def compile_module(source: bytes, path: str, *, docstrings: bool) -> bytes:
    """The contents of the .pyc, with or without docstrings. Raises SyntaxError."""
    tree = ast.parse(source, path)
    for node in () if docstrings else ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if ast.get_docstring(node, clean=False) is None:
                continue
            is_module = isinstance(node, ast.Module)
            empty: list[ast.stmt] = [] if is_module else [ast.copy_location(ast.Pass(), node.body[0])]
            node.body = node.body[1:] or empty
    code = compile(tree, path, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)


def main(folder: Path, *, docstrings: bool) -> None:
    """Replace each module in `folder` by its compiled form, which Python finds in its place. Raises SyntaxError."""
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder).as_posix()
        path.with_suffix(".pyc").write_bytes(compile_module(path.read_bytes(), name, docstrings=docstrings))
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[-1]), docstrings="--without-docstrings" not in sys.argv)
