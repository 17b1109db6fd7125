// The few words that kernels are written in, on an NVIDIA GPU. Nothing is included, so NVRTC needs no headers.
// tests/emulator.h has the same words for a CPU.
//
// A kernel runs in BLOCKS blocks of THREADS threads, a block's in warps of 32. Before these lines stand
// #define REAL (float or double) and #define THREADS.
#define KERNEL extern "C" __global__ void __launch_bounds__(THREADS)
#define DEVICE __device__ __forceinline__
#define BLOCK ((int)blockIdx.x)
#define BLOCKS ((int)gridDim.x)
#define THREAD ((int)threadIdx.x)
#define SHARED(type, name, count) __shared__ type name[count]       // seen by all threads of a block
#define SYNC() __syncthreads()                                      // wait for all threads of the block
#define SHUFFLE_XOR(value, mask) __shfl_xor_sync(0xffffffffu, value, mask)  // the value of another thread of the warp
#define HIGH_PRODUCT(a, b) __umul64hi(a, b)                         // upper half of a 64 by 64 bit product
typedef unsigned long long word;
