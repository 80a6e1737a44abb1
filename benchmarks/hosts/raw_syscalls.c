/* raw_syscalls: what the calls of ../guests/percall.c cost where no host is between program and
 * kernel. Runs on this machine itself; same arguments after the directory, same output.
 *
 *   raw_syscalls DIRECTORY MODULE SAMPLES [CALL]...        (MODULE is not looked at)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_SAMPLES = 2000, SAMPLE_NS = 1000000, MAX_LOOP = 1 << 16, LEAST_SAMPLES = 5 };
enum { BUDGET_NS = 400000000 };

static int root, file, many, null_device;
static char data[16];
static struct stat status;
static uint64_t entries;

static void expect(const char *what, int right)
{
    if (right) return;
    perror(what);
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#define LOOP(name, expression)                                                                \
    static void loop_##name(int n)                                                            \
    {                                                                                         \
        while (n--) expect(#name, expression);                                                \
    }
LOOP(pread, pread(file, data, sizeof data, 0) == sizeof data)
LOOP(pwrite, pwrite(file, data, sizeof data, 0) == sizeof data)
LOOP(read, read(file, data, sizeof data) == sizeof data)
LOOP(write, write(null_device, data, sizeof data) == sizeof data)
LOOP(seek, lseek(file, 16, SEEK_SET) == 16)
LOOP(tell, lseek(file, 0, SEEK_CUR) >= 0)
LOOP(fdstat, fcntl(file, F_GETFL) >= 0)
LOOP(fstat, fstat(file, &status) == 0)
LOOP(stat, fstatat(root, "f.bin", &status, 0) == 0)
LOOP(deep_stat, fstatat(root, "a/b/c/f.bin", &status, 0) == 0)
LOOP(enoent_stat, fstatat(root, "none", &status, 0) == -1 && errno == ENOENT)
LOOP(random, syscall(SYS_getrandom, data, 8, 0) == 8)

static void loop_clock(int n)
{
    struct timespec t;
    while (n--) expect("clock", clock_gettime(CLOCK_MONOTONIC, &t) == 0);
}

static void loop_open_close(int n)
{
    while (n--) {
        int fd = openat(root, "f.bin", O_RDWR | O_CLOEXEC);
        expect("open", fd >= 0);
        expect("close", close(fd) == 0);
    }
}

static void loop_readdir(int n)
{
    static char buffer[4096];
    while (n--) {
        long got;
        expect("rewind", lseek(many, 0, SEEK_SET) == 0);
        while ((got = syscall(SYS_getdents64, many, buffer, sizeof buffer)) > 0)
            for (long at = 0; at < got; entries++) {
                uint16_t length; /* follows two numbers of 64 bits */
                memcpy(&length, buffer + at + 16, sizeof length);
                at += length;
            }
        expect("readdir", got == 0);
    }
}

static const struct { const char *name; void (*loop)(int); } calls[] = {
    {"pread", loop_pread}, {"pwrite", loop_pwrite}, {"read", loop_read}, {"fstat", loop_fstat},
    {"fdstat", loop_fdstat}, {"stat", loop_stat}, {"deep_stat", loop_deep_stat},
    {"enoent_stat", loop_enoent_stat}, {"open_close", loop_open_close},
    {"readdir", loop_readdir}, {"seek", loop_seek}, {"tell", loop_tell}, {"clock", loop_clock},
    {"random", loop_random}, {"write", loop_write},
};

/* One sample: nanoseconds for each turn (for readdir: for each entry); elapsed gets the whole. */
static double sample(size_t k, int n, uint64_t *elapsed)
{
    lseek(file, 0, SEEK_SET);
    entries = 0;
    uint64_t start = now();
    calls[k].loop(n);
    *elapsed = now() - start;
    return (double)*elapsed / (double)(entries ? entries : (uint64_t)n);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(size_t k, int samples)
{
    static double times[MAX_SAMPLES];
    uint64_t elapsed, spent = 0;
    int n = 1, count = 0;
    while (sample(k, n, &elapsed), elapsed < SAMPLE_NS / 2 && n < MAX_LOOP) n *= 2;
    while (count < samples && (count < LEAST_SAMPLES || spent < BUDGET_NS)) {
        times[count++] = sample(k, n, &elapsed);
        spent += elapsed;
    }
    qsort(times, (size_t)count, sizeof *times, by_value);
    fprintf(stderr, "%s %.1f %.1f %d\n", calls[k].name, times[0], times[count / 2], count);
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    int samples = atoi(argv[3]);
    if (samples < 1 || samples > MAX_SAMPLES) samples = MAX_SAMPLES;
    root = open(argv[1], O_RDONLY | O_DIRECTORY);
    expect(argv[1], root >= 0);
    file = openat(root, "f.bin", O_RDWR);
    expect("f.bin", file >= 0);
    many = openat(root, "many", O_RDONLY | O_DIRECTORY);
    expect("many", many >= 0);
    null_device = open("/dev/null", O_WRONLY);
    expect("/dev/null", null_device >= 0);
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        int wanted = argc < 5;
        for (int j = 4; j < argc; j++) wanted |= !strcmp(argv[j], calls[k].name);
        if (wanted) measure(k, samples);
    }
    return 0;
}
