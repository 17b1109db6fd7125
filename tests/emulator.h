// The words of rnnlm/backend/cuda/device.cuh for a CPU, so that the very source of a kernel runs where there is no GPU.
//
// A block's threads are fibers of one system thread. At a SYNC or a SHUFFLE a fiber is put aside until all others of its
// block, or of its warp, have come there too. Warps take turns of random length, so that one runs far ahead of another:
// a barrier that is missing, or memory used again too early, shows. Shared memory is filled with NaN before each block.
// What is not modelled: the order in which memory becomes visible, caches, registers, limits of a launch.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <setjmp.h>
#include <ucontext.h>
#include <vector>

namespace emulator {
enum { WARP = 32, STACK = 1 << 16 };
struct Barrier { int arrived = 0, generation = 0; };
struct Fiber { ucontext_t begin; jmp_buf here; bool started = false, done = false; const Barrier* waits = nullptr; int generation = 0; };
struct Shared { void* memory; size_t size; };

static std::deque<Fiber> fibers;  // which never moves one: a context points into itself
static std::vector<Barrier> warps;
static std::vector<Shared> shared;
static std::vector<double> lanes;  // two sets of a value for each thread: a shuffle may begin before all have read the last
static std::vector<int> parity;
static Barrier block_barrier;
static jmp_buf scheduler;
static std::function<void()> body;
static int block, blocks, thread, threads;

__attribute__((noinline)) static void leave() { if (!_setjmp(fibers[thread].here)) _longjmp(scheduler, 1); }
static void run_fiber() { for (;;) { body(); fibers[thread].done = true; leave(); } }

static void wait(Barrier& barrier, int all)
{
    if (++barrier.arrived == all) { barrier.arrived = 0; ++barrier.generation; return; }
    fibers[thread].waits = &barrier, fibers[thread].generation = barrier.generation;
    leave();
}

template <class T> T shuffle(T value, int mask)
{
    static_assert(sizeof(T) <= sizeof(double), "a lane has 8 bytes");
    const int set = parity[thread] ^= 1;
    memcpy(&lanes[2 * thread + set], &value, sizeof(T));
    wait(warps[thread / WARP], WARP);
    memcpy(&value, &lanes[2 * (thread ^ mask) + set], sizeof(T));
    return value;
}

struct Register { Register(void* memory, size_t size) { shared.push_back({memory, size}); memset(memory, 0xff, size); } };

__attribute__((noinline)) static void resume(int number)
{
    thread = number;
    if (_setjmp(scheduler)) return;
    Fiber& fiber = fibers[number];
    if (fiber.started) _longjmp(fiber.here, 1);
    fiber.started = true;
    setcontext(&fiber.begin);
}

static bool runnable(const Fiber& fiber) { return !fiber.done && (!fiber.waits || fiber.waits->generation != fiber.generation); }

static void run_block()
{
    const int count = threads / WARP;
    for (int left = threads, idle = 0; left;) {
        const int warp = rand() % count, rounds = 1 + rand() % 8;
        bool moved = false;
        for (int round = 0; round < rounds; ++round)
            for (int i = warp * WARP; i < (warp + 1) * WARP; ++i)
                if (runnable(fibers[i])) { fibers[i].waits = nullptr; resume(i); left -= fibers[i].done; moved = true; }
        idle = moved ? 0 : idle + 1;
        if (idle > 1000 * count) { fprintf(stderr, "emulator: the threads of a block wait for each other\n"); abort(); }
    }
}

static void launch(int grid, int block_size, std::function<void()> kernel)
{
    if (block_size % WARP || block_size != THREADS) { fprintf(stderr, "emulator: %d threads a block\n", block_size); abort(); }
    threads = block_size, blocks = grid, body = kernel;
    while ((int)fibers.size() < threads) {
        fibers.emplace_back();
        Fiber& fiber = fibers.back();
        getcontext(&fiber.begin);
        fiber.begin.uc_stack.ss_sp = malloc(STACK);
        fiber.begin.uc_stack.ss_size = STACK;
        fiber.begin.uc_link = nullptr;
        makecontext(&fiber.begin, run_fiber, 0);
    }
    lanes.resize(2 * threads), parity.resize(threads);
    srand(1);
    for (block = 0; block < grid; ++block) {
        for (auto& memory : shared) memset(memory.memory, 0xff, memory.size);
        warps.assign(threads / WARP, Barrier());
        block_barrier = Barrier();
        for (int i = 0; i < threads; ++i) fibers[i].done = false, fibers[i].waits = nullptr;
        run_block();
    }
}

// A kernel whose threads never wait for each other needs no fibers.
template <class Kernel> void launch_independent(int grid, int block_size, Kernel kernel)
{
    threads = block_size, blocks = grid;
    for (block = 0; block < grid; ++block)
        for (thread = 0; thread < threads; ++thread) kernel();
}
}  // namespace emulator

using std::exp; using std::log; using std::sqrt; using std::tanh;
#define KERNEL static void
#define DEVICE static inline
#define BLOCK (emulator::block)
#define BLOCKS (emulator::blocks)
#define THREAD (emulator::thread)
#define SHARED(type, name, count) static type name[count]; static emulator::Register name##_register(name, sizeof(name))
#define SYNC() emulator::wait(emulator::block_barrier, emulator::threads)
#define SHUFFLE_XOR(value, mask) emulator::shuffle(value, mask)
#define HIGH_PRODUCT(a, b) ((word)((unsigned __int128)(a) * (b) >> 64))
typedef unsigned long long word;
