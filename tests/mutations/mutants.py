"""All small changes of a source file that a test should notice.

Operators are swapped (`<` and `<=`, `+` and `-`, `and` and `or`), `not` and minus signs go, conditions are turned round,
numbers are one too large, True is False, min is max, results are None, keyword arguments and bounds of slices are left
out, and so are calls, writes to attributes and elements, and `raise`. Left as they are: texts, annotations, decorators,
what only prints or shows progress, and what a type checker alone reads.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COMPARISONS = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"),
}  # fmt: skip
ARITHMETIC = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"), ast.Pow: ("**", "*"), ast.BitAnd: ("&", "|"), ast.BitOr: ("|", "&"),
    ast.LShift: ("<<", ">>"), ast.RShift: (">>", "<<"),
}  # fmt: skip
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum", "maximum": "minimum"}
SHOWN = {"print", "note", "say", "progress_bar", "bytes_bar", "words_bar", "not_counted", "set_postfix_str"}
ONLY_READ = {"__all__", "__repr__", "__str__"}  # names: what these hold is for readers


@dataclass(frozen=True)
class Mutant:
    """One change of one file.

    Attributes:
        file: its path from the root of the repository.
        line: where the change begins.
        where: class and function around it, `Batches.window`, say; "" outside of all.
        before, after: the lines of the change as they are and as they become, blanks squeezed.
        statement: first and last line of the statement, or of its head, that the change is in.
        imported: whether it is executed when the module is imported, not when a function is called.
        source: the whole file, changed.
    """

    file: str
    line: int
    where: str
    before: str
    after: str
    statement: tuple[int, int]
    imported: bool
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.where or 'the module'}: {self.before} -> {self.after}"


def mutants_of(root: Path, file: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines."""
    lister = _Lister(file, (root / file).read_text())
    lister.visit(ast.parse(lister.source))
    return sorted(lister.found, key=lambda mutant: mutant.line)


class _Lister(ast.NodeVisitor):
    """Walks through a file and notes every change of it."""

    def __init__(self, file: str, source: str) -> None:
        self.file, self.source, self.lines = file, source, source.encode().splitlines(keepends=True)
        self.found: list[Mutant] = []
        self._names: list[str] = []
        self._statement, self._imported = (1, 1), True

    # ------------------------------------------------------------ where we are

    def visit(self, node: ast.AST) -> None:
        """Note the changes of a node and of all in it, unless nobody computes with it."""
        if _is_only_read(node):
            return
        if not isinstance(node, ast.stmt):
            self._note(node)
            self.generic_visit(node)
            return
        before = self._statement
        self._statement = (node.lineno, _end_of_head(node))
        self._note(node)
        self.generic_visit(node)
        self._statement = before

    def generic_visit(self, node: ast.AST) -> None:
        """What is in a node. Of a function its defaults belong to the code around it; of a raise nothing is changed."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for default in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
                self.visit(default)
            self._inside(node.name, node.body, imported=False)
        elif isinstance(node, ast.ClassDef):
            self._inside(node.name, node.body, imported=self._imported)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.visit(node.value)
        elif not isinstance(node, ast.Raise):
            super().generic_visit(node)

    def _inside(self, name: str, body: list[ast.stmt], imported: bool) -> None:
        before, self._imported = self._imported, imported
        self._names.append(name)
        for statement in body:
            self.visit(statement)
        self._names.pop()
        self._imported = before

    # ------------------------------------------------------------ a change

    def _note(self, node: ast.AST) -> None:
        for begin, end, text in self._changes(node):
            (first, column), (last, stop) = begin, end
            head, tail = self.lines[first - 1][:column], self.lines[last - 1][stop:]
            changed = head + text.encode() + tail
            whole = b"".join([*self.lines[: first - 1], changed, *self.lines[last:]])
            before = _squeezed(b"".join(self.lines[first - 1 : last]))
            self.found.append(
                Mutant(
                    self.file,
                    first,
                    ".".join(self._names),
                    before,
                    _squeezed(changed),
                    self._statement,
                    self._imported,
                    whole.decode(),
                )
            )

    def _text(self, begin: tuple[int, int], end: tuple[int, int]) -> str:
        lines = self.lines[begin[0] - 1 : end[0]]
        lines[-1] = lines[-1][: end[1]]
        lines[0] = lines[0][begin[1] :]
        return b"".join(lines).decode()

    def _changes(self, node: ast.AST) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
        """Where a change begins and ends, and what stands there instead."""
        match node:
            case ast.Compare():
                for left, op, right in zip([node.left, *node.comparators], node.ops, node.comparators):
                    yield self._operator(left, right, *COMPARISONS[type(op)])
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                begin, end, text = self._operator(node.left, node.right, *ARITHMETIC[type(node.op)])
                text = self._text(_begin(node), begin) + text + self._text(end, _end(node))
                looser = isinstance(node.op, ast.Pow | ast.BitAnd | ast.BitOr)
                yield _begin(node), _end(node), f"({text})" if looser else text
            case ast.BoolOp():
                old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
                parts = [self._text(_begin(node.values[0]), _end(node.values[0]))]
                for left, right in zip(node.values, node.values[1:]):
                    parts += [self._operator(left, right, old, new)[2], self._text(_begin(right), _end(right))]
                first, last = _begin(node.values[0]), _end(node.values[-1])
                yield (
                    _begin(node),
                    _end(node),
                    f"({self._text(_begin(node), first)}{''.join(parts)}{self._text(last, _end(node))})",
                )
            case ast.UnaryOp(op=ast.Not() | ast.USub()):
                text = self._text(_begin(node), _end(node))
                yield _begin(node), _end(node), text.removeprefix("not").removeprefix("-").lstrip()
            case ast.Constant(value=bool()):
                yield _begin(node), _end(node), str(not node.value)
            case ast.Constant(value=int() | float()):
                yield _begin(node), _end(node), repr(node.value + 1)
            case ast.If() | ast.While() | ast.IfExp():
                if isinstance(node.test, ast.Name | ast.Attribute | ast.Call | ast.Subscript | ast.NamedExpr):
                    test = self._text(_begin(node.test), _end(node.test))
                    yield _begin(node.test), _end(node.test), f"(not ({test}))"
            case ast.Call():
                yield from self._call(node)
            case ast.Slice():
                for bound in filter(None, (node.lower, node.upper)):
                    yield _begin(bound), _end(bound), ""
            case ast.Return() if node.value is not None and not _is_none(node.value):
                yield _begin(node), _end(node), "return None"
            case ast.Continue() | ast.Break():
                yield _begin(node), _end(node), "break" if isinstance(node, ast.Continue) else "continue"
            case ast.AugAssign():
                if type(node.op) in ARITHMETIC:
                    old, new = (f"{sign}=" for sign in ARITHMETIC[type(node.op)])
                    yield self._operator(node.target, node.value, old, new)
                yield _begin(node), _end(node), "pass"
            case ast.Assign() if all(_is_written_into(target) for target in node.targets):
                yield _begin(node), _end(node), "pass"
            case ast.Expr(value=ast.Call()) | ast.Raise():
                yield _begin(node), _end(node), "pass"

    def _operator(
        self, left: ast.expr, right: ast.expr, old: str, new: str
    ) -> tuple[tuple[int, int], tuple[int, int], str]:
        """Of what stands between two operands, brackets maybe, the operator changed."""
        return _end(left), _begin(right), self._text(_end(left), _begin(right)).replace(old, new, 1)

    def _call(self, node: ast.Call) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
        """Another function called, a keyword argument left out."""
        name = _name(node.func)
        if name in CALLED:
            end = _end(node.func)
            yield (end[0], end[1] - len(name)), end, CALLED[name]
        for keyword in node.keywords:
            if keyword.arg is not None:
                others = [other for other in node.keywords if other is not keyword]
                yield _begin(node), _end(node), ast.unparse(ast.Call(node.func, node.args, others))


def _begin(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def _end(node: ast.AST) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]


def _end_of_head(node: ast.stmt) -> int:
    """The last line of a statement, or of what stands before its body."""
    body = getattr(node, "body", None) or getattr(node, "cases", None)
    if not body:
        return node.end_lineno or node.lineno
    first = body[0].pattern if isinstance(body[0], ast.match_case) else body[0]
    return max(node.lineno, first.lineno - 1)


def _squeezed(text: bytes) -> str:
    return " ".join(text.decode().split())


def _name(node: ast.AST) -> str:
    """The last name of `a.b.c`, or of what a node defines or writes to."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.FunctionDef(name=name):
            return name
        case ast.Assign(targets=[target]):
            return _name(target)
        case ast.Call(func=func) | ast.Expr(value=ast.Call(func=func)):
            return _name(func)
    return ""


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_written_into(target: ast.expr) -> bool:
    """Whether an assignment to it could be left out and every name still be there."""
    if isinstance(target, ast.Tuple):
        return all(_is_written_into(part) for part in target.elts)
    return isinstance(target, ast.Attribute | ast.Subscript)


def _is_only_read(node: ast.AST) -> bool:
    """Whether it is for readers, of the code, of messages or of a progress bar, and changes no result."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=test) if _name(test) == "TYPE_CHECKING":
            return True
        case ast.Raise(exc=exc):
            return exc is not None and "NotImplementedError" in ast.unparse(exc)
        case ast.Call(func=func) | ast.Expr(value=ast.Call(func=func)):
            name = _name(func)
            shown = name in SHOWN or "tqdm" in name or ast.unparse(func).startswith("bar.")
            return shown or name.endswith(("Error", "TypeVar", "cast"))
        case ast.FunctionDef() | ast.Assign():
            return _name(node) in ONLY_READ
    return False
