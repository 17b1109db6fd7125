"""Arrays in a safetensors file, written and read one at a time, so that at most one is copied in memory.

    8 bytes   length of the header, little-endian
    header    JSON: dtype, shape and offsets of each array; padded with blanks to a multiple of 8
    ...       the arrays

The format is Hugging Face's: its library reads files written here, and wrote those of earlier versions.
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
LONGEST = 10_000_000  # most bytes of a header; an array takes about a hundred
DIMENSIONS = 8  # most dimensions of an array


def pieces(arrays: Mapping[str, Array]) -> Iterator[bytes | memoryview]:
    """Yield the content of a file with these arrays, of the host or a device, piece by piece."""
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
    """Fill arrays, by name, from a file; none is changed if names, shapes or dtypes differ from the file's.

    Raises:
        InputError: not a safetensors file, or one cut short; a name missing or unknown, or an array of another shape
            or dtype.
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
    """Return the arrays of a file by name, memory-mapped: data is read when it is accessed.

    Raises:
        InputError: not a safetensors file, or one cut short.
    """
    header, begin = _header(file)
    content = np.memmap(file, np.uint8, "r")

    def array(dtype: np.dtype[Any], shape: tuple[int, ...], offset: int) -> NDArray[Any]:
        end = begin + offset + dtype.itemsize * prod(shape)
        return content[begin + offset : end].view(dtype).reshape(shape)

    return {name: array(*where) for name, where in header.items()}


def _fill(file: BinaryIO, array: Array) -> None:
    """Read an array from the file, directly into its memory if that is contiguous and on the host."""
    straight = isinstance(array, np.ndarray) and array.flags.c_contiguous
    host = array if straight else np.empty(array.shape, array.dtype)
    if host.nbytes and file.readinto(_bytes_of(host)) < host.nbytes:  # type: ignore[attr-defined]
        raise InputError("it was cut short while it was read")
    if not straight:
        array[...] = ops.asarray(host)


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def bytes_in(file: BinaryIO) -> int:
    """Return the total size in bytes of a file's arrays, reading only the header; errors are those of `mapped`."""
    return sum(dtype.itemsize * prod(shape) for dtype, shape, _ in _header(file)[0].values())


def _header(file: BinaryIO) -> tuple[dict[str, tuple[np.dtype[Any], tuple[int, ...], int]], int]:
    """Return dtype, shape and offset of each array, and where the data begins, after checking that the arrays are
    contiguous and end at the end of the file."""
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, LONGEST):
        raise InputError(f"it is not a safetensors file, or was cut short at {size:,} bytes")
    try:
        told = read_json(file.read(length), LONGEST)
        found = {name: _entry(about, size) for name, about in told.items() if name != "__metadata__"}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"it is not a safetensors file: {error!r:.200}") from error
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
    """Return the checked dtype, shape and offset of an array's entry in the header of a file of `size` bytes."""
    dtype, shape, (begin, end) = np.dtype(TYPES[about["dtype"]]), tuple(about["shape"]), about["data_offsets"]
    whole = all(type(n) is int and 0 <= n <= size for n in (*shape, begin, end)) and len(shape) <= DIMENSIONS
    if not whole or end - begin != dtype.itemsize * prod(shape):
        raise ValueError(f"{about} describes no array")
    return dtype, shape, begin
