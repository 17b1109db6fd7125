"""Arrays in a safetensors file, written and read one after the other: nothing is held in memory twice.

    8 bytes   length of the header, little-endian
    header    JSON: for each array its dtype, shape and where it lies; blanks up to a multiple of 8
    ...       the arrays

The format is Hugging Face's, whose library reads what is written here, and wrote what earlier versions left.
"""

import json
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from rnnlm.backend import Array, ops
from rnnlm.errors import InputError
from rnnlm.opening import read_json

__all__ = ["bytes_in", "mapped", "pieces", "read_into"]

TYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "I8": "i1", "U8": "u1", "BOOL": "?"}
LONGEST = 10_000_000  # bytes of a header; a hundred or so are an array's
DIMENSIONS = 8  # of an array at most


def pieces(arrays: Mapping[str, Array]) -> Iterator[bytes | memoryview]:
    """The content of a file with these arrays, of the host or of a device, a piece at a time."""
    names = {np.dtype(dtype): name for name, dtype in TYPES.items()}
    header, offset = {}, 0
    for name, array in arrays.items():
        end = offset + array.nbytes
        header[name] = {"dtype": names[array.dtype], "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    told = json.dumps(header, separators=(",", ":")).encode()
    told += b" " * (-len(told) % 8)
    yield len(told).to_bytes(8, "little") + told
    for array in arrays.values():
        if array.nbytes:
            yield _bytes_of(np.ascontiguousarray(ops.asnumpy(array)))


def read_into(file: BinaryIO, arrays: Mapping[str, Array]) -> None:
    """Fill arrays, by name, from a file; none of them is touched if the file has other ones.

    Raises:
        InputError: no such file, or one that was cut short; a name missing or unknown, an array of another shape or
            dtype.
    """
    header, begin = _header(file)
    if set(header) != set(arrays):
        missing, unknown = sorted(set(arrays) - set(header)), sorted(set(header) - set(arrays))
        raise InputError(f"parameters must be {', '.join(arrays)}; missing {missing}, unknown {unknown}")
    for name, array in arrays.items():
        dtype, shape, _ = header[name]
        if (dtype, shape) != (array.dtype, array.shape):
            raise InputError(f"{name} must be {array.dtype} {array.shape}, got {dtype} {shape}")
    for name, array in arrays.items():
        file.seek(begin + header[name][2])
        _fill(file, array)


def mapped(file: BinaryIO) -> dict[str, NDArray[Any]]:
    """The arrays of a file by name, which stay in it until they are asked for.

    Raises:
        InputError: no such file, or one that was cut short.
    """
    header, begin = _header(file)
    content = np.memmap(file, np.uint8, "r")

    def array(dtype: np.dtype[Any], shape: tuple[int, ...], offset: int) -> NDArray[Any]:
        end = begin + offset + dtype.itemsize * prod(shape)
        return content[begin + offset : end].view(dtype).reshape(shape)

    return {name: array(*where) for name, where in header.items()}


def _fill(file: BinaryIO, array: Array) -> None:
    """Read an array in place where it lies in one piece of the host's memory."""
    straight = isinstance(array, np.ndarray) and array.flags.c_contiguous
    host = array if straight else np.empty(array.shape, array.dtype)
    if host.nbytes and file.readinto(_bytes_of(host)) < host.nbytes:  # type: ignore[attr-defined]
        raise InputError("it was cut short while it was read")
    if not straight:
        array[...] = ops.asarray(host)


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """The memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def bytes_in(file: BinaryIO) -> int:
    """Bytes of all arrays of a file, of which the header alone is read; errors are those of `mapped`."""
    return sum(dtype.itemsize * prod(shape) for dtype, shape, _ in _header(file)[0].values())


def _header(file: BinaryIO) -> tuple[dict[str, tuple[np.dtype[Any], tuple[int, ...], int]], int]:
    """Dtype, shape and offset of each array, and where the first one begins; they lie one behind the other, to the end
    of the file."""
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, LONGEST):
        raise InputError(f"it is no file of safetensors, or was cut short at {size:,} bytes")
    try:
        told = read_json(file.read(length), LONGEST)
        found = {name: _entry(about, size) for name, about in told.items() if name != "__metadata__"}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"it is no file of safetensors: {error!r:.200}") from error
    end = 0
    for dtype, shape, offset in sorted(found.values(), key=lambda entry: (entry[2], prod(entry[1]))):
        if offset != end:
            raise InputError(
                f"its arrays must lie one behind the other, and one begins at {offset:,} in place of {end:,}"
            )
        end += dtype.itemsize * prod(shape)
    if size != 8 + length + end:
        raise InputError(f"its arrays end at byte {8 + length + end:,}, and it has {size:,} bytes: it was cut short")
    return found, 8 + length


def _entry(about: Mapping[str, Any], size: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Dtype, shape and offset of an array that the header of a file of `size` bytes describes."""
    dtype, shape, (begin, end) = np.dtype(TYPES[about["dtype"]]), tuple(about["shape"]), about["data_offsets"]
    whole = all(type(n) is int and 0 <= n <= size for n in (*shape, begin, end)) and len(shape) <= DIMENSIONS
    if not whole or end - begin != dtype.itemsize * prod(shape):
        raise ValueError(f"{about} describes no array")
    return dtype, shape, begin
