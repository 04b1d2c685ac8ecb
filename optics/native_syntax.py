"""A small part of Python's syntax as LLVM's language: what `native.py` compiles."""

import ast
import inspect
import math
import textwrap
from collections.abc import Callable
from typing import Any

from llvmlite import ir

BIT, WORD = ir.IntType(1), ir.IntType(64)
REAL, SINGLE = ir.DoubleType(), ir.FloatType()
OPERATIONS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "sdiv",  # equal only for numbers that are not negative
    ast.LShift: "shl",
    ast.RShift: "ashr",
    ast.BitAnd: "and_",
    ast.BitOr: "or_",
}
REAL_OPERATIONS = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
IN_ANY_ORDER = ("reassoc", "contract", "nsz")  # so that sums go several numbers at a time
COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
MATHS = {
    math.exp: "llvm.exp.f64",
    math.log: "llvm.log.f64",
    math.sqrt: "llvm.sqrt.f64",
    math.erf: "erf",  # of the C library
    abs: "llvm.fabs.f64",
}
EXTREMES = {max: ">", min: "<"}


class Translation:
    """One function in a module; its variables are slots, which LLVM turns into registers.

    `kinds` gives the LLVM type that belongs to an annotation, `loops` the Python function behind
    what another native loop is called by.
    """

    def __init__(
        self,
        module: ir.Module,
        function: Callable[..., Any],
        kinds: Callable[[object], ir.Type],
        loops: Callable[[object], Callable[..., Any] | None],
    ) -> None:
        [tree] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        if not isinstance(tree, ast.FunctionDef):
            raise TypeError(f"{function} is no plain function")
        self._module, self._kinds, self._loops = module, kinds, loops
        self._known = function.__globals__
        *types, self._answer = map(kinds, inspect.get_annotations(function).values())
        self.code = ir.Function(module, ir.FunctionType(self._answer, types), tree.name)
        self._build = ir.IRBuilder(self.code.append_basic_block())
        self._slots: dict[str, Any] = {}
        self._arrays: dict[str, Any] = {}
        for name, value in zip(tree.args.args, self.code.args, strict=True):
            if isinstance(value.type, ir.PointerType):
                value.add_attribute("noalias")
                self._arrays[name.arg] = value
            else:
                self._assign(name.arg, value)
        self._statements(tree.body)

    def _statements(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Expr(value=ast.Call() as call):
                self._called(call)
            case ast.Assign(targets=[target], value=value):
                self._put(target, self._number(value))
            case ast.AugAssign(target=target, op=operation, value=value):
                old, change = self._number(target), self._number(value)
                self._put(target, self._combined(operation, old, change))
            case ast.If(test=test, body=body, orelse=[]):
                with self._build.if_then(self._truth(test)):
                    self._statements(body)
            case ast.If(test=test, body=body, orelse=otherwise):
                with self._build.if_else(self._truth(test)) as (then, other):
                    with then:
                        self._statements(body)
                    with other:
                        self._statements(otherwise)
            case ast.While(test=test, body=body):
                self._loop(lambda: self._truth(test), lambda: self._statements(body))
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=[*start, end]), body=body):
                self._count(name, self._number(start[0]) if start else WORD(0), end, body)
            case ast.Return(value=ast.expr() as value):
                self._build.ret(self._as(self._number(value), self._answer))
            case _:
                raise TypeError(f"line {node.lineno}: no native code for {ast.unparse(node)}")

    def _count(self, name: str, start: Any, end: ast.expr, body: list[ast.stmt]) -> None:
        stop = self._number(end)
        self._assign(name, start)
        slot = self._slots[name]

        def once() -> None:
            self._statements(body)
            self._build.store(self._build.add(self._build.load(slot), WORD(1)), slot)

        self._loop(lambda: self._build.icmp_signed("<", self._build.load(slot), stop), once)

    def _loop(self, test: Callable[[], Any], body: Callable[[], None]) -> None:
        blocks = [self.code.append_basic_block() for _ in ("test", "body", "after")]
        self._build.branch(blocks[0])
        self._build.position_at_end(blocks[0])
        self._build.cbranch(test(), blocks[1], blocks[2])
        self._build.position_at_end(blocks[1])
        body()
        self._build.branch(blocks[0])
        self._build.position_at_end(blocks[2])

    def _put(self, target: ast.expr, value: Any) -> None:
        if isinstance(target, ast.Name):
            self._assign(target.id, value)
        else:
            place = self._place(target)
            self._build.store(self._as(value, place.type.pointee), place)

    def _assign(self, name: str, value: Any) -> None:
        if name not in self._slots:
            with self._build.goto_entry_block():
                self._slots[name] = self._build.alloca(value.type)
        slot = self._slots[name]
        self._build.store(self._as(value, slot.type.pointee), slot)

    def _as(self, value: Any, kind: ir.Type) -> Any:
        """The number in another kind; a real number never becomes an integer unasked."""
        match value.type, kind:
            case was, now if was == now:
                return value
            case ir.DoubleType(), ir.FloatType():
                return self._build.fptrunc(value, kind)
            case ir.IntType(), ir.DoubleType() | ir.FloatType():
                return self._build.sitofp(value, kind)
            case ir.IntType(width=was), ir.IntType(width=now):
                return (self._build.trunc if was > now else self._build.zext)(value, kind)
        raise TypeError(f"no native code turns {value.type} into {kind}")

    def _place(self, node: ast.expr) -> Any:
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._build.gep(self._arrays[name], [self._number(index)])
        raise TypeError(f"line {node.lineno}: no native code for {ast.unparse(node)}")

    def _number(self, node: ast.expr) -> Any:
        """Elements and truths as integers of 64 bits or real numbers of double precision."""
        value = self._value(node)
        if isinstance(value.type, ir.IntType):
            return self._as(value, WORD)
        return self._build.fpext(value, REAL) if value.type == SINGLE else value

    def _truth(self, node: ast.expr) -> Any:
        value = self._value(node)
        return value if value.type == BIT else self._build.icmp_signed("!=", value, WORD(0))

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() | float() as number):
                return REAL(number) if isinstance(number, float) else WORD(number)
            case ast.Name(id=name) if name in self._slots:
                return self._build.load(self._slots[name])
            case ast.Name(id=name) if isinstance(self._known.get(name), int | float):
                return self._value(ast.Constant(self._known[name]))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combined(ast.Sub(), WORD(0), self._number(operand))
            case ast.BinOp(left=left, op=operation, right=right):
                return self._combined(operation, self._number(left), self._number(right))
            case ast.Compare(left=left, ops=[comparison], comparators=[right]):
                sign = COMPARISONS[type(comparison)]
                return self._compared(sign, *map(self._number, (left, right)))
            case ast.Call():
                return self._called(node)
        return self._build.load(self._place(node))

    def _combined(self, operation: ast.operator, left: Any, right: Any) -> Any:
        if isinstance(operation, ast.Div) or REAL in (left.type, right.type):
            both = self._as(left, REAL), self._as(right, REAL)
            return getattr(self._build, REAL_OPERATIONS[type(operation)])(*both, flags=IN_ANY_ORDER)
        return getattr(self._build, OPERATIONS[type(operation)])(left, right)

    def _compared(self, sign: str, left: Any, right: Any) -> Any:
        if REAL in (left.type, right.type):
            return self._build.fcmp_ordered(sign, self._as(left, REAL), self._as(right, REAL))
        return self._build.icmp_signed(sign, left, right)

    def _called(self, node: ast.Call) -> Any:
        meant = self._meant(node.func)
        if meant in MATHS:
            return self._build.call(
                self._function(MATHS[meant], REAL, [REAL]),
                [self._as(self._number(node.args[0]), REAL)],
            )
        if meant is float:
            return self._as(self._number(node.args[0]), REAL)
        if meant is int:
            return self._build.fptosi(self._as(self._number(node.args[0]), REAL), WORD)
        if meant in EXTREMES:
            left, right = map(self._number, node.args)
            kind = REAL if REAL in (left.type, right.type) else WORD
            left, right = self._as(left, kind), self._as(right, kind)
            return self._build.select(self._compared(EXTREMES[meant], left, right), left, right)
        if (loop := self._loops(meant)) is None:
            raise TypeError(f"line {node.lineno}: no native code for {ast.unparse(node)}")
        return self._build.call(*self._handed_to(loop, node.args))

    def _meant(self, node: ast.expr) -> Any:
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name):
                return getattr(self._known.get(module), name, None)
            case ast.Name(id=name):
                return self._known.get(
                    name, {"max": max, "min": min, "abs": abs, "float": float, "int": int}.get(name)
                )
        return None

    def _function(self, name: str, answer: ir.Type, types: list[ir.Type]) -> Any:
        declared = self._module.globals.get(name)
        return declared or ir.Function(self._module, ir.FunctionType(answer, types), name)

    def _handed_to(self, loop: Callable[..., Any], args: list[ast.expr]) -> tuple[Any, list[Any]]:
        """Another loop, made part of this one, and what it is handed."""
        code = self._module.globals.get(loop.__name__)
        if code is None:
            code = Translation(self._module, loop, self._kinds, self._loops).code
            code.linkage = "internal"
        handed = [
            self._arrays[ast.unparse(arg)]
            if isinstance(kind, ir.PointerType)
            else self._as(self._number(arg), kind)
            for arg, kind in zip(args, code.function_type.args, strict=True)
        ]
        return code, handed
