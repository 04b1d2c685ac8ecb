"""A small part of Python's syntax as LLVM's language: what `native.py` compiles."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

from llvmlite import ir

BIT, WORD = ir.IntType(1), ir.IntType(64)
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
COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


class Translation:
    """One function as a module; its variables are slots, which LLVM turns into registers."""

    def __init__(self, function: Callable[..., int], types: list[ir.Type]) -> None:
        [tree] = ast.parse(textwrap.dedent(inspect.getsource(function))).body
        if not isinstance(tree, ast.FunctionDef):
            raise TypeError(f"{function} is no plain function")
        self.module = ir.Module()
        self._function = ir.Function(self.module, ir.FunctionType(WORD, types), tree.name)
        self._build = ir.IRBuilder(self._function.append_basic_block())
        self._slots: dict[str, Any] = {}
        self._arrays: dict[str, Any] = {}
        for name, value in zip(tree.args.args, self._function.args, strict=True):
            if value.type == WORD:
                self._assign(name.arg, value)
            else:
                value.add_attribute("noalias")
                self._arrays[name.arg] = value
        self._statements(tree.body)

    def _statements(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant()):
                pass
            case ast.Assign(targets=[target], value=value):
                self._put(target, self._word(value))
            case ast.AugAssign(target=target, op=operation, value=value):
                old, change = self._word(target), self._word(value)
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
                self._count(name, self._word(start[0]) if start else WORD(0), end, body)
            case ast.Return(value=ast.expr() as value):
                self._build.ret(self._word(value))
            case _:
                raise TypeError(f"line {node.lineno}: no native code for {ast.unparse(node)}")

    def _count(self, name: str, start: Any, end: ast.expr, body: list[ast.stmt]) -> None:
        stop = self._word(end)
        self._assign(name, start)
        slot = self._slots[name]

        def once() -> None:
            self._statements(body)
            self._build.store(self._build.add(self._build.load(slot), WORD(1)), slot)

        self._loop(lambda: self._build.icmp_signed("<", self._build.load(slot), stop), once)

    def _loop(self, test: Callable[[], Any], body: Callable[[], None]) -> None:
        blocks = [self._function.append_basic_block() for _ in ("test", "body", "after")]
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
            element = place.type.pointee
            self._build.store(
                value if element == WORD else self._build.trunc(value, element), place
            )

    def _assign(self, name: str, value: Any) -> None:
        if name not in self._slots:
            with self._build.goto_entry_block():
                self._slots[name] = self._build.alloca(WORD)
        self._build.store(value, self._slots[name])

    def _place(self, node: ast.expr) -> Any:
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                return self._build.gep(self._arrays[name], [self._word(index)])
        raise TypeError(f"line {node.lineno}: no native code for {ast.unparse(node)}")

    def _word(self, node: ast.expr) -> Any:
        value = self._value(node)
        return value if value.type == WORD else self._build.zext(value, WORD)

    def _truth(self, node: ast.expr) -> Any:
        value = self._value(node)
        return value if value.type == BIT else self._build.icmp_signed("!=", value, WORD(0))

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=int() as number):
                return WORD(number)
            case ast.Name(id=name):
                return self._build.load(self._slots[name])
            case ast.BinOp(left=left, op=operation, right=right):
                return self._combined(operation, self._word(left), self._word(right))
            case ast.Compare(left=left, ops=[comparison], comparators=[right]):
                sign = COMPARISONS[type(comparison)]
                return self._build.icmp_signed(sign, self._word(left), self._word(right))
        return self._build.load(self._place(node))

    def _combined(self, operation: ast.operator, left: Any, right: Any) -> Any:
        return getattr(self._build, OPERATIONS[type(operation)])(left, right)
