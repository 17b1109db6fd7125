// The words of rnnlm/backend/cuda/device.cuh for a CPU, so that the very source of a kernel runs where there is no GPU.
//
// A block's threads are fibers of one system thread. At a SYNC or a SHUFFLE a fiber is put aside until all others of its
// block, or of its warp, have come there too. Warps take turns of random length, so that one runs far ahead of another:
// a barrier that is missing, or memory used again too early, shows. Shared memory is filled with NaN before each block.
// The blocks of a cluster run together, those of others one after another.
// What is not modelled: the order in which memory becomes visible, caches, registers, limits of a launch.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <setjmp.h>
#include <ucontext.h>
#include <vector>
#ifndef CLUSTER
#define CLUSTER 1
#endif

namespace emulator {
enum { WARP = 32, STACK = 1 << 16 };
struct Barrier { int arrived = 0, generation = 0; };
struct Fiber { ucontext_t begin; jmp_buf here; bool started = false, done = false; const Barrier* waits = nullptr; int generation = 0, cluster_generation = 0; };
struct Shared { void* memory; size_t size; };

static std::deque<Fiber> fibers;  // which never moves one: a context points into itself
static std::vector<Barrier> warps;
static std::vector<Shared> shared;
static std::vector<double> lanes;  // two sets of a value for each thread: a shuffle may begin before all have read the last
static std::vector<int> parity;
static Barrier block_barriers[CLUSTER], cluster_barrier;
static jmp_buf scheduler;
static const void* kernel;
static void (*call)(const void* kernel);
static int first_block, blocks, fiber_number, rank, thread, threads;  // `rank` of the block in its cluster

__attribute__((noinline)) static void leave() { if (!_setjmp(fibers[fiber_number].here)) _longjmp(scheduler, 1); }
static void run_fiber() { for (;;) { call(kernel); fibers[fiber_number].done = true; leave(); } }

static Fiber& fiber() { return fibers[fiber_number]; }
static Barrier& warp() { return warps[fiber_number / WARP]; }
static bool runnable(const Fiber& fiber) { return !fiber.done && (!fiber.waits || fiber.waits->generation != fiber.generation); }

// Which round of a barrier a fiber has arrived at, to wait until it is over.
static int arrive(Barrier& barrier, int all)
{
    const int round = barrier.generation;
    if (++barrier.arrived == all) barrier.arrived = 0, ++barrier.generation;
    return round;
}

static void wait_for(Barrier& barrier, int round)
{
    fiber().waits = &barrier, fiber().generation = round;
    if (!runnable(fiber())) leave();
}

static void wait(Barrier& barrier, int all) { wait_for(barrier, arrive(barrier, all)); }
static void cluster_arrive() { fiber().cluster_generation = arrive(cluster_barrier, CLUSTER * threads); }
static void cluster_wait() { wait_for(cluster_barrier, fiber().cluster_generation); }

template <class T> T shuffle(T value, int lane)
{
    static_assert(sizeof(T) <= sizeof(double), "a lane has 8 bytes");
    const int set = parity[fiber_number] ^= 1;
    memcpy(&lanes[2 * fiber_number + set], &value, sizeof(T));
    wait(warp(), WARP);
    memcpy(&value, &lanes[2 * (fiber_number / WARP * WARP + lane) + set], sizeof(T));
    return value;
}

struct Register { Register(void* memory, size_t size) { shared.push_back({memory, size}); memset(memory, 0xff, size); } };

template <class T> T* remote(T* here, int block)
{
    for (auto& memory : shared) {
        const size_t begin = (char*)here - (char*)memory.memory, one = memory.size / CLUSTER;
        if (begin < memory.size) return (T*)((char*)memory.memory + block * one + begin % one);
    }
    fprintf(stderr, "emulator: a remote pointer to what is not shared\n");
    abort();
}

__attribute__((noinline)) static void resume(int number)
{
    fiber_number = number, rank = number / threads, thread = number % threads;
    if (_setjmp(scheduler)) return;
    Fiber& fiber = fibers[number];
    if (fiber.started) _longjmp(fiber.here, 1);
    fiber.started = true;
    setcontext(&fiber.begin);
}

static void run_cluster()
{
    const int count = CLUSTER * threads / WARP;
    for (int left = CLUSTER * threads, idle = 0; left;) {
        const int warp = rand() % count, rounds = 1 + rand() % 8;
        bool moved = false;
        for (int round = 0; round < rounds; ++round)
            for (int i = warp * WARP; i < (warp + 1) * WARP; ++i)
                if (runnable(fibers[i])) { fibers[i].waits = nullptr; resume(i); left -= fibers[i].done; moved = true; }
        idle = moved ? 0 : idle + 1;
        if (idle > 1000 * count) { fprintf(stderr, "emulator: threads wait for each other\n"); abort(); }
    }
}

template <class Kernel> void launch(int grid, int block_size, const Kernel& given)
{
    if (block_size % WARP || block_size != THREADS) { fprintf(stderr, "emulator: %d threads a block\n", block_size); abort(); }
    threads = block_size, blocks = grid;
    kernel = &given, call = [](const void* it) { (*(const Kernel*)it)(); };
    const int all = CLUSTER * threads;
    while ((int)fibers.size() < all) {
        fibers.emplace_back();
        Fiber& fiber = fibers.back();
        getcontext(&fiber.begin);
        fiber.begin.uc_stack.ss_sp = malloc(STACK);
        fiber.begin.uc_stack.ss_size = STACK;
        fiber.begin.uc_link = nullptr;
        makecontext(&fiber.begin, run_fiber, 0);
    }
    lanes.resize(2 * all), parity.resize(all);
    srand(1);
    for (first_block = 0; first_block < grid; first_block += CLUSTER) {
        for (auto& memory : shared) memset(memory.memory, 0xff, memory.size);
        warps.assign(all / WARP, Barrier());
        for (auto& barrier : block_barriers) barrier = Barrier();
        cluster_barrier = Barrier();
        for (int i = 0; i < all; ++i) fibers[i].done = false, fibers[i].waits = nullptr;
        run_cluster();
    }
}

// A kernel whose threads never wait for each other needs no fibers.
template <class Kernel> void launch_independent(int grid, int block_size, Kernel kernel)
{
    threads = block_size, blocks = grid;
    for (first_block = 0; first_block < grid; ++first_block)
        for (thread = 0; thread < threads; ++thread) kernel();
}
}  // namespace emulator

using std::exp; using std::log; using std::sqrt; using std::tanh;
#define KERNEL static void
#define DEVICE static inline
#define BLOCK (emulator::first_block + emulator::rank)
#define BLOCKS (emulator::blocks)
#define THREAD (emulator::thread)
#define SHARED(type, name, count) \
    static type name##_of[CLUSTER][count]; \
    static emulator::Register name##_register(name##_of, sizeof(name##_of)); \
    type (&name)[count] = name##_of[emulator::rank]
#define SHARED_AT_LAUNCH(type, name, count) SHARED(type, name, count)
#define SYNC() emulator::wait(emulator::block_barriers[emulator::rank], emulator::threads)
#define SYNC_WARP() emulator::wait(emulator::warp(), emulator::WARP)
#define CLUSTER_ARRIVE() emulator::cluster_arrive()
#define CLUSTER_ENTER() emulator::cluster_arrive()
#define CLUSTER_WAIT() emulator::cluster_wait()
#define REMOTE(here, block) emulator::remote(here, block)
#define SHUFFLE(value, lane) emulator::shuffle(value, lane)
#define SHUFFLE_XOR(value, mask) emulator::shuffle(value, emulator::thread % emulator::WARP ^ (mask))
#define HIGH_PRODUCT(a, b) ((word)((unsigned __int128)(a) * (b) >> 64))
typedef unsigned long long word;
