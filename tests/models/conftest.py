"""Accelerators that are not there: tensors that say they are on `cuda:0` or `cuda:1` and are on the CPU.

As on real ones, an operation on tensors of two devices fails, an index may lie on the CPU, a number of no dimension
goes with anything, and numpy takes only what was moved to the CPU. So a model whose layers are spread over devices
shows whether everything follows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

CPU = torch.device("cpu")
T = torch.Tensor


class _Placed(torch.Tensor):
    """A tensor under the name of another device."""

    place: torch.device

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return self.place

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})


class _SeveralDevices(TorchFunctionMode):
    """Inside, what is made on `cuda:N` or moved there is a tensor that says so."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _call(func, args, kwargs or {})


def placed(data: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The same numbers, said to be on a device."""
    with torch._C.DisableTorchFunction():
        bare = data.as_subclass(torch.Tensor)
        if device.type == "cpu":
            return bare
        named = bare.as_subclass(_Placed)
    named.place = device
    return named


def _call(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    with torch._C.DisableTorchFunction():
        return _compute(func, args, kwargs)


def _compute(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    given = [x for x in tree_flatten((args, kwargs))[0] if isinstance(x, torch.Tensor)]
    moving = func in (T.to, T.cpu, T.cuda, T.type)
    asked = kwargs.get("device")
    if func is T.cpu:
        asked = CPU
    if func is T.to and asked is None:
        asked = next((a for a in args[1:] if _names_device(a)), None)
        if asked is None and len(args) > 1 and isinstance(args[1], torch.Tensor):
            asked = args[1].device
    if func in (T.numpy, T.__array__, T.tolist) and isinstance(args[0], _Placed) and func is not T.tolist:
        raise TypeError(f"can't convert {args[0].device} device type tensor to numpy: use Tensor.cpu() first")
    if asked is not None:
        device = torch.device(asked)
        args = tuple(CPU if _names_device(a) else a for a in args)
        kwargs = {**kwargs, "device": CPU} if "device" in kwargs else kwargs
    else:
        device = given[0].device if moving or func is T.copy_ else _common_device(func, args, given)
    out = func(*args, **kwargs)
    own = {id(x) for x in given}
    if moving and asked is not None and device != given[0].device:
        out = out.clone() if id(out) in own else out
    return tree_map(lambda x: placed(x, device) if isinstance(x, torch.Tensor) and id(x) not in own else x, out)


def _names_device(x: Any) -> bool:
    return isinstance(x, torch.device) or (isinstance(x, str) and x.partition(":")[0] in ("cpu", "cuda"))


def _common_device(func: Any, args: Any, given: list[torch.Tensor]) -> torch.device:
    if func is T.__setitem__ and isinstance(args[2], torch.Tensor):  # copies the value over
        given = [x for x in given if x is not args[2]]
    if func in (T.__getitem__, T.__setitem__) and args[0].device != CPU:
        given = [x for x in given if x.device != CPU]
    devices = {x.device for x in given if x.dim()} or {x.device for x in given}
    if len(devices) > 1:
        found = " and ".join(sorted(map(str, devices)))
        raise RuntimeError(f"Expected all tensors to be on the same device, but found {found} in {func}")
    return devices.pop() if devices else CPU


@pytest.fixture
def two_devices() -> Iterator[Any]:
    """`spread` a model over `cuda:0` and `cuda:1`, which this test then has."""
    with _SeveralDevices():
        yield _spread


def _spread(hf: Any, second_from: int) -> Any:
    """The model with its blocks from `second_from` on, the last norm and the head on `cuda:1`, else on `cuda:0`."""
    from accelerate import dispatch_model

    base = hf.base_model_prefix
    where = {}
    for name, child in hf.base_model.named_children():
        if isinstance(child, torch.nn.ModuleList):
            where |= {f"{base}.{name}.{i}": f"cuda:{int(i >= second_from)}" for i in range(len(child))}
        else:
            where[f"{base}.{name}"] = "cuda:1" if "norm" in name or name == "ln_f" else "cuda:0"
    where |= {name: "cuda:1" for name, _ in hf.named_children() if name != base}
    for path, device in where.items():
        for module in hf.get_submodule(path).modules():
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    there = placed(parameter.detach(), torch.device(device))
                    module._parameters[name] = torch.nn.Parameter(there, requires_grad=False)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = placed(buffer, torch.device(device))
    return dispatch_model(hf, where, main_device="cuda:0", force_hooks=True)
