/* percall: what each WASI call costs, measured where it hurts: inside the guest.
 *
 *   percall SAMPLES [CALL]...
 *
 * Descriptor 3 is the prepared directory (see ../percall.py). For each call one line goes to
 * standard error: its name, the least and the median time in nanoseconds, and the number of
 * samples. A sample is a loop of about one millisecond around the raw import, so that a sample
 * which the machine disturbed stands out instead of spoiling a mean. Standard output takes the
 * bytes that the call `write` writes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CALL(name) __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) \
    extern int32_t raw_##name
CALL(fd_pread)(int32_t fd, void *iovs, int32_t n, int64_t offset, uint32_t *done);
CALL(fd_pwrite)(int32_t fd, void *iovs, int32_t n, int64_t offset, uint32_t *done);
CALL(fd_read)(int32_t fd, void *iovs, int32_t n, uint32_t *done);
CALL(fd_write)(int32_t fd, void *iovs, int32_t n, uint32_t *done);
CALL(fd_seek)(int32_t fd, int64_t offset, int32_t whence, uint64_t *position);
CALL(fd_tell)(int32_t fd, uint64_t *position);
CALL(fd_fdstat_get)(int32_t fd, void *stat);
CALL(fd_filestat_get)(int32_t fd, void *stat);
CALL(fd_readdir)(int32_t fd, void *buffer, int32_t size, int64_t cookie, uint32_t *used);
CALL(fd_close)(int32_t fd);
CALL(path_filestat_get)(int32_t fd, int32_t flags, const char *path, int32_t len, void *stat);
CALL(path_open)(int32_t fd, int32_t dirflags, const char *path, int32_t len, int32_t oflags,
                int64_t base, int64_t inheriting, int32_t fdflags, int32_t *opened);
CALL(clock_time_get)(int32_t clock, int64_t precision, uint64_t *time);
CALL(random_get)(void *buffer, int32_t size);

enum { ROOT = 3, NOENT = 44, O_DIRECTORY_FLAG = 2, MONOTONIC = 1, MAX_SAMPLES = 2000 };
enum { SAMPLE_NS = 1000000, MAX_LOOP = 1 << 16, BUDGET_NS = 400000000, LEAST_SAMPLES = 5 };
/* FD_READ, FD_SEEK, FD_TELL, FD_WRITE, FD_FILESTAT_GET; FD_READDIR */
static const int64_t FILE_RIGHTS = 1 << 1 | 1 << 2 | 1 << 5 | 1 << 6 | 1 << 21;
static const int64_t DIR_RIGHTS = 1 << 14;

static int32_t file, many;
static char data[16];
static struct { char *at; uint32_t size; } iov = {data, sizeof data};
static uint32_t done;
static uint64_t position, stat_buffer[8];
static uint64_t entries; /* of the directories read, in one sample */

static void say(const char *text)
{
    struct { const char *at; uint32_t size; } line = {text, (uint32_t)strlen(text)};
    raw_fd_write(2, &line, 1, &done);
}

static void say_number(uint64_t n)
{
    char digits[24], *p = digits + sizeof digits;
    *--p = 0;
    do *--p = (char)('0' + n % 10); while (n /= 10);
    say(p);
}

static void expect(const char *what, int32_t got, int32_t wanted)
{
    if (got == wanted) return;
    say(what);
    say(": unexpected errno ");
    say_number((uint64_t)got);
    say("\n");
    exit(1);
}

static int32_t open_at(const char *path, int32_t len, int32_t oflags, int64_t rights, int32_t *fd)
{
    return raw_path_open(ROOT, 0, path, len, oflags, rights, 0, 0, fd);
}

static uint64_t now(void)
{
    uint64_t t;
    raw_clock_time_get(MONOTONIC, 1, &t);
    return t;
}

#define LOOP(name, wanted, expression)                                                        \
    static void loop_##name(int n)                                                            \
    {                                                                                         \
        while (n--) expect(#name, expression, wanted);                                        \
    }
LOOP(pread, 0, raw_fd_pread(file, &iov, 1, 0, &done))
LOOP(pwrite, 0, raw_fd_pwrite(file, &iov, 1, 0, &done))
LOOP(read, 0, raw_fd_read(file, &iov, 1, &done))
LOOP(write, 0, raw_fd_write(1, &iov, 1, &done))
LOOP(seek, 0, raw_fd_seek(file, 16, 0, &position))
LOOP(tell, 0, raw_fd_tell(file, &position))
LOOP(fdstat, 0, raw_fd_fdstat_get(file, stat_buffer))
LOOP(fstat, 0, raw_fd_filestat_get(file, stat_buffer))
LOOP(stat, 0, raw_path_filestat_get(ROOT, 1, "f.bin", 5, stat_buffer))
LOOP(deep_stat, 0, raw_path_filestat_get(ROOT, 1, "a/b/c/f.bin", 11, stat_buffer))
LOOP(enoent_stat, NOENT, raw_path_filestat_get(ROOT, 1, "none", 4, stat_buffer))
LOOP(clock, 0, raw_clock_time_get(MONOTONIC, 1, &position))
LOOP(random, 0, raw_random_get(data, 8))

static void loop_open_close(int n)
{
    while (n--) {
        int32_t fd;
        expect("open", open_at("f.bin", 5, 0, FILE_RIGHTS, &fd), 0);
        expect("close", raw_fd_close(fd), 0);
    }
}

static void loop_readdir(int n)
{
    static char buffer[4096];
    while (n--) {
        uint64_t cookie = 0;
        for (;;) {
            int32_t got = raw_fd_readdir(many, buffer, sizeof buffer, (int64_t)cookie, &done);
            expect("readdir", got, 0);
            uint32_t at = 0;
            while (at + 24 <= done) {
                uint32_t name;
                memcpy(&name, buffer + at + 16, 4);
                if (at + 24 + name > done) break;
                memcpy(&cookie, buffer + at, 8);
                at += 24 + name;
                entries++;
            }
            if (done < sizeof buffer) break;
        }
    }
}

static const struct { const char *name; void (*loop)(int); } calls[] = {
    {"pread", loop_pread}, {"pwrite", loop_pwrite}, {"read", loop_read}, {"fstat", loop_fstat},
    {"fdstat", loop_fdstat}, {"stat", loop_stat}, {"deep_stat", loop_deep_stat},
    {"enoent_stat", loop_enoent_stat}, {"open_close", loop_open_close},
    {"readdir", loop_readdir}, {"seek", loop_seek}, {"tell", loop_tell}, {"clock", loop_clock},
    {"random", loop_random}, {"write", loop_write},
};

/* One sample: picoseconds for each turn (for readdir: for each entry); elapsed gets the whole. */
static uint64_t sample(int k, int n, uint64_t *elapsed)
{
    raw_fd_seek(file, 0, 0, &position);
    entries = 0;
    uint64_t start = now();
    calls[k].loop(n);
    *elapsed = now() - start;
    return *elapsed * 1000 / (entries ? entries : (uint64_t)n);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void say_ns(uint64_t ps)
{
    say(" ");
    say_number(ps / 1000);
    say(".");
    say_number(ps / 100 % 10);
}

static void measure(int k, int samples)
{
    static uint64_t times[MAX_SAMPLES];
    uint64_t elapsed, spent = 0;
    int n = 1, count = 0;
    sample(k, 1, &elapsed); /* a host may make something at the first call */
    while (sample(k, n, &elapsed), elapsed < SAMPLE_NS / 2 && n < MAX_LOOP) n *= 2;
    while (count < samples && (count < LEAST_SAMPLES || spent < BUDGET_NS)) {
        times[count++] = sample(k, n, &elapsed);
        spent += elapsed;
    }
    qsort(times, (size_t)count, sizeof *times, by_value);
    say(calls[k].name);
    say_ns(times[0]);
    say_ns(times[count / 2]);
    say(" ");
    say_number((uint64_t)count);
    say("\n");
}

int main(int argc, char **argv)
{
    int samples = argc > 1 ? atoi(argv[1]) : 200;
    if (samples < 1 || samples > MAX_SAMPLES) samples = MAX_SAMPLES;
    expect("f.bin", open_at("f.bin", 5, 0, FILE_RIGHTS, &file), 0);
    expect("many", open_at("many", 4, O_DIRECTORY_FLAG, DIR_RIGHTS, &many), 0);
    for (int k = 0; k < (int)(sizeof calls / sizeof *calls); k++) {
        int wanted = argc < 3;
        for (int j = 2; j < argc; j++) wanted |= !strcmp(argv[j], calls[k].name);
        if (wanted) measure(k, samples);
    }
    return 0;
}
