// The macros in which kernels are written, for an NVIDIA GPU. Nothing is included, so NVRTC needs no headers.
// tests/emulator.h defines the same macros for a CPU.
//
// A kernel runs in BLOCKS blocks of THREADS threads, in warps of 32. These lines must be preceded by #define REAL
// (float or double) and #define THREADS; and by #define CLUSTER for clusters of so many blocks, those with equal
// BLOCK / CLUSTER, which can access each other's shared memory (from compute capability 9.0 on).
#ifdef CLUSTER  // one block to a multiprocessor, so that it can use all registers
#define LAYOUT __launch_bounds__(THREADS, 1) __cluster_dims__(CLUSTER, 1, 1)
#else
#define LAYOUT __launch_bounds__(THREADS)
#endif
#define KERNEL extern "C" __global__ void LAYOUT
#define DEVICE __device__ __forceinline__
#define BLOCK ((int)blockIdx.x)
#define BLOCKS ((int)gridDim.x)
#define THREAD ((int)threadIdx.x)
#define SHARED(type, name, count) __shared__ type name[count]       // seen by all threads of a block
#define SHARED_AT_LAUNCH(type, name, count) extern __shared__ type name[]  // its size is given at launch, and may exceed 48 KiB
#define SYNC() __syncthreads()                                      // wait for all threads of the block
#define SYNC_WARP() __syncwarp()                                    // wait for all threads of the warp
#define SHUFFLE(value, lane) __shfl_sync(0xffffffffu, value, lane)  // the value of one thread of the warp
#define SHUFFLE_XOR(value, mask) __shfl_xor_sync(0xffffffffu, value, mask)  // the value of another thread of the warp
#define HIGH_PRODUCT(a, b) __umul64hi(a, b)                         // upper half of a 64 by 64 bit product
typedef unsigned long long word;

// A barrier of the cluster in two parts: what a thread wrote before arriving is visible to all threads after waiting.
// REMOTE converts a pointer to this block's shared memory to the same place in another block of the cluster.
// CLUSTER_ENTER arrives without making writes visible, which is faster.
#if CLUSTER > 1
#define CLUSTER_ARRIVE() asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory")
#define CLUSTER_ENTER() asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory")
#define CLUSTER_WAIT() asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory")
template <class T> DEVICE T* remote(T* here, int block)
{
    word there;
    asm("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"((word)here), "r"(block));
    return (T*)there;
}
#define REMOTE(here, block) remote(here, block)
#else
#define CLUSTER_ARRIVE()
#define CLUSTER_ENTER()
#define CLUSTER_WAIT() SYNC()
#define REMOTE(here, block) (here)
#endif
