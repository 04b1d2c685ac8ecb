"""Loops over arrays written in a small part of Python, turned into machine code when first called.

Numba would compile them as well, but importing it and loading its cache costs 0.5 s of every
start; LLVM alone needs 0.03 s. What it made is kept. `plain` is the same loop in Python.
"""

import ctypes
import inspect
import operator
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

import llvmlite
import numpy as np
from llvmlite import binding, ir
from numpy.typing import NDArray

from optics.native_cache import identity, kept
from optics.native_syntax import REAL, WORD, Translation

VERSION = f"1 {llvmlite.__version__}"  # of what these files make of a loop
INLINED = 100  # instructions; LLVM takes 250, which doubles its work for no gain
P = ParamSpec("P")
R = TypeVar("R")
Int64s: TypeAlias = NDArray[np.int64]
UInt32s: TypeAlias = NDArray[np.uint32]
UInt8s: TypeAlias = NDArray[np.uint8]
Float64s: TypeAlias = NDArray[np.float64]
Float32s: TypeAlias = NDArray[np.float32]

ELEMENTS: dict[object, tuple[np.dtype[Any], Any]] = {
    Int64s: (np.dtype(np.int64), ir.IntType(64)),
    UInt32s: (np.dtype(np.uint32), ir.IntType(32)),
    UInt8s: (np.dtype(np.uint8), ir.IntType(8)),
    Float64s: (np.dtype(np.float64), ir.DoubleType()),
    Float32s: (np.dtype(np.float32), ir.FloatType()),
}
NUMBERS: dict[object, tuple[Any, Any]] = {
    int: (WORD, ctypes.c_int64),
    float: (REAL, ctypes.c_double),
}


class Native(Generic[P, R]):
    """A loop over arrays, integers of 64 bits and real numbers that returns a number.

    It knows assignment, `+ - * / // << >> & |`, `max`, `min`, `abs` and some of `math`, one
    comparison at a time, `if`, `while`, `for` over a range, calls of other native loops, and a
    return at the end. What a variable is first is what it stays; sums of real numbers may be taken
    in any order. Nothing checks an index, nor that two arrays are not the same: what calls it must.
    """

    def __init__(self, plain: Callable[P, R]) -> None:
        self.plain = plain
        *self._kinds, self._answer = inspect.get_annotations(plain).values()
        self._code: Callable[..., R] | None = None
        self._engine: object = None  # owns the memory in which the code lies

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            raise TypeError("arguments of a native loop go by position")
        if self._code is None:
            self._code = self._compile()
        return self._code(*map(_handed_over, args, self._kinds))

    def _compile(self) -> Callable[..., R]:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        cpu, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
        machine = binding.Target.from_default_triple().create_target_machine(
            cpu=cpu, features=features, jit=True, codemodel="jitdefault"
        )
        name = self.plain.__name__
        key = f"{VERSION} {cpu} {features}".encode() + identity(self.plain, _loop)
        code = kept(name, key, lambda: _made(self.plain, machine))
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
        engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
        self._engine = engine
        kinds = [NUMBERS[kind][1] if kind in NUMBERS else ctypes.c_void_p for kind in self._kinds]
        made = ctypes.CFUNCTYPE(NUMBERS[self._answer][1], *kinds)
        return made(engine.get_function_address(name))


def _made(plain: Callable[..., Any], machine: Any) -> bytes:
    written = ir.Module()
    Translation(written, plain, _type, _loop)
    module = binding.parse_assembly(str(written))
    module.verify()
    tuning = binding.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_unrolling = tuning.slp_vectorization = False  # half of the time for no gain
    tuning.inlining_threshold = INLINED
    passes = binding.create_pass_builder(machine, tuning)
    passes.getModulePassManager().run(module, passes)
    return bytes(machine.emit_object(module))


def _type(kind: object) -> Any:
    return NUMBERS[kind][0] if kind in NUMBERS else ELEMENTS[kind][1].as_pointer()


def _loop(called: object) -> Callable[..., Any] | None:
    return called.plain if isinstance(called, Native) else None


def _handed_over(value: Any, kind: object) -> int | float:
    """A number as it is, an array as its address."""
    if kind is int:
        return operator.index(value)
    if kind is float:
        return float(value)
    dtype, _ = ELEMENTS[kind]
    if value.dtype != dtype or not value.flags.c_contiguous:
        raise TypeError(f"expected contiguous {dtype}, got {value.dtype}")
    address: int = value.ctypes.data
    return address
