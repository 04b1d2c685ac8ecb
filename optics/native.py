"""Integer loops written in a small part of Python, turned into machine code when first called.

Numba would compile them as well, but importing it and loading its cache costs 0.5 s of every
start; LLVM alone needs 0.03 s, and 0.01 s for a loop. `plain` is the same loop in Python.
"""

import ctypes
import inspect
import operator
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeAlias

import numpy as np
from llvmlite import binding, ir
from numpy.typing import NDArray

from optics.native_syntax import WORD, Translation

P = ParamSpec("P")
Int64s: TypeAlias = NDArray[np.int64]
UInt32s: TypeAlias = NDArray[np.uint32]
UInt8s: TypeAlias = NDArray[np.uint8]

ELEMENTS: dict[object, tuple[np.dtype[Any], Any]] = {
    Int64s: (np.dtype(np.int64), ir.IntType(64)),
    UInt32s: (np.dtype(np.uint32), ir.IntType(32)),
    UInt8s: (np.dtype(np.uint8), ir.IntType(8)),
}


class Native(Generic[P]):
    """A loop over arrays and integers of 64 bits that returns an integer.

    It knows assignment, `+ - * // << >> & |`, one comparison at a time, `if`, `while`, `for` over a
    range, and a return at the end. Nothing checks an index: what calls it must.
    """

    def __init__(self, plain: Callable[P, int]) -> None:
        self.plain = plain
        self._kinds = list(inspect.get_annotations(plain).values())[:-1]
        self._code: Callable[..., int] | None = None
        self._engine: object = None  # owns the memory in which the code lies

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> int:
        if kwargs:
            raise TypeError("arguments of a native loop go by position")
        if self._code is None:
            self._code = self._compile()
        return self._code(*map(_handed_over, args, self._kinds))

    def _compile(self) -> Callable[..., int]:
        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        machine = binding.Target.from_default_triple().create_target_machine(
            cpu=binding.get_host_cpu_name(),
            features=binding.get_host_cpu_features().flatten(),
            opt=3,
        )
        name = self.plain.__name__
        types = [WORD if kind is int else ELEMENTS[kind][1].as_pointer() for kind in self._kinds]
        module = binding.parse_assembly(str(Translation(self.plain, types).module))
        module.verify()
        passes = binding.create_pass_builder(
            machine, binding.create_pipeline_tuning_options(speed_level=3)
        )
        passes.getModulePassManager().run(module, passes)
        engine = binding.create_mcjit_compiler(module, machine)
        engine.finalize_object()
        self._engine = engine
        kinds = [ctypes.c_int64 if kind is int else ctypes.c_void_p for kind in self._kinds]
        return ctypes.CFUNCTYPE(ctypes.c_int64, *kinds)(engine.get_function_address(name))


def _handed_over(value: Any, kind: object) -> int:
    """An integer as it is, an array as its address."""
    if kind is int:
        return operator.index(value)
    dtype, _ = ELEMENTS[kind]
    if value.dtype != dtype or not value.flags.c_contiguous:
        raise TypeError(f"expected contiguous {dtype}, got {value.dtype}")
    address: int = value.ctypes.data
    return address
