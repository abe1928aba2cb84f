"""`python -X no_debug_ranges bytecode.py FOLDER`: compile the libraries in a folder, and keep nothing but what runs.

Run by the Python that the code is for, beside whatever else that one has installed, so it imports nothing of ours. The
docstrings go, and with that flag the columns of errors, which nobody can be shown without the source; the lines of a
traceback stay, and so do assertions, which `python -OO` would drop too.
"""

import ast
import importlib.util
import marshal
import sys
from pathlib import Path

UNCHECKED = (1).to_bytes(4, "little")
"""PEP 552: known by a hash that is not looked at. Unpacking sets the times of files anew, and code that follows them
would be compiled at each start."""


def compiled(source: bytes, path: str) -> bytes:
    """The contents of the .pyc. Raises SyntaxError."""
    tree = ast.parse(source, path)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            _forget_docstring(node)
    code = compile(tree, path, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)


def _forget_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    if ast.get_docstring(node, clean=False) is not None:
        empty: list[ast.stmt] = [] if isinstance(node, ast.Module) else [ast.copy_location(ast.Pass(), node.body[0])]
        node.body = node.body[1:] or empty


def main(folder: Path) -> None:
    """Replace each module in `folder` by its compiled form, which Python finds in its place. Raises SyntaxError."""
    for path in sorted(folder.rglob("*.py")):
        path.with_suffix(".pyc").write_bytes(compiled(path.read_bytes(), path.relative_to(folder).as_posix()))
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
