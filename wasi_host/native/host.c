/* The calls that programs make most, served without Python.
 *
 * Theory of operation. Each row below is a C function that the engine calls instead of the Python
 * thunk of the same row. It serves the plain case wholly (a host file or directory, captured
 * output, given input, clocks, random bytes, arguments) and hands everything else to that thunk
 * with the arguments as they came: other kinds of descriptors, unknown numbers, pointers outside
 * memory, missing rights, errors other than those it can map, a run that was asked to stop. So a
 * row here either does the whole call, or nothing that could be seen; the thunk is the reference.
 *
 * State. `struct env` belongs to a binding and is what the engine hands over; `struct table` holds
 * one guest's descriptors, `struct slot` one of them. Python reads and writes the same structs
 * (wasi_host/native/structures.py): rights, flags and positions live here and nowhere else. A slot
 * that a Python object stands for is `held`: only Python closes it.
 *
 * Trust. Every number of a guest's is checked in 64 bits before it is used; vectors and paths are
 * copied out of the guest's memory once. No Python API, nothing but libc; no lock of the
 * interpreter is held or needed. A guest runs in one thread at a time; only `env.table` (cleared to
 * stop it) and captured output (read while it runs) are touched by others. */

#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "little endian machines only: the guest's numbers are copied as they are"
#endif

#ifndef ABI
#define ABI 7 /* wasi_host/native/library.py has the same */
#endif
#define EXPORT __attribute__((visibility("default")))

/* wasi_spec/rights.py; a test compares. */
#define FD_READ (UINT64_C(1) << 1)
#define FD_SEEK (UINT64_C(1) << 2)
#define FD_TELL (UINT64_C(1) << 5)
#define FD_WRITE (UINT64_C(1) << 6)
#define PATH_CREATE_FILE (UINT64_C(1) << 10)
#define PATH_OPEN (UINT64_C(1) << 13)
#define FD_READDIR (UINT64_C(1) << 14)
#define PATH_FILESTAT_GET (UINT64_C(1) << 18)
#define PATH_FILESTAT_SET_SIZE (UINT64_C(1) << 19)
#define FD_FILESTAT_GET (UINT64_C(1) << 21)
#define FD_FILESTAT_SET_TIMES (UINT64_C(1) << 23)
#define PATH_UNLINK_FILE (UINT64_C(1) << 26)

/* wasi_spec/flags.py and enums.py */
#define FDFLAGS_APPEND 1u
#define FDFLAGS_SYNC 26u /* DSYNC, RSYNC, SYNC */
#define FDFLAGS_ALL 31u
#define OFLAGS_CREAT 1u
#define OFLAGS_DIRECTORY 2u
#define OFLAGS_EXCL 4u
#define OFLAGS_TRUNC 8u
#define OFLAGS_ALL 15u
#define FSTFLAGS_ATIM 1u /* the two of the other time are 4 times as much */
#define FSTFLAGS_ATIM_NOW 2u
#define FSTFLAGS_NOW 10u /* ATIM_NOW, MTIM_NOW */
#define FSTFLAGS_ALL 15u
#define FILETYPE_UNKNOWN 0
#define FILETYPE_BLOCK_DEVICE 1
#define FILETYPE_CHARACTER_DEVICE 2
#define FILETYPE_DIRECTORY 3
#define FILETYPE_REGULAR_FILE 4
#define FILETYPE_SYMBOLIC_LINK 7
#define WHENCE_SET 0
#define WHENCE_CUR 1
#define WHENCE_END 2

/* binding/transfer.py and codec.py */
#define VECTORS 1024u
#define GATHERED_BYTES (UINT64_C(16) << 20)
#define RANDOM_BYTES (UINT64_C(1) << 16)
#define PATH_BYTES 4095u

#define DIRENT_BYTES 24u
#define LEVELS 128
#define RANDOM_SMALL 128u
#define PIPE_READ (UINT64_C(1) << 20) /* world/streams.py */

enum kind {
    FOREIGN, HOST_FILE, HOST_DIRECTORY, OUTPUT, INPUT, NOTHING, HOST_STREAM, MEMORY_FILE, HOST_PIPE
};

/* What a table serves beyond descriptors: bits of `table.serves`. */
enum { SERVES_CLOCKS = 1, SERVES_RANDOM = 2, SERVES_OPEN = 4, SERVES_BENEATH = 8 };

/* Bytes in memory: what was captured so far, or what is there to read. */
struct bytes {
    uint8_t *data;
    uint64_t length;
    uint64_t capacity; /* of captured output: what is allocated; 0: not ours */
    uint64_t room;     /* of captured output: how much more is kept */
    uint64_t changed;  /* of a file in memory: 1: it is longer or shorter by now, Python knows */
    uint64_t position; /* of input: where the next read begins */
    atomic_flag busy;
};

struct listing {
    uint8_t *blob;
    uint64_t length;
    uint64_t *offsets;
    uint64_t count;
};

struct slot {
    uint32_t kind;
    int32_t host_fd;
    uint32_t filetype;
    uint32_t fdflags;
    uint64_t rights_base;
    uint64_t rights_inheriting;
    uint64_t access;
    int64_t position;
    struct bytes *bytes;
    const uint8_t *name; /* of a preopen; NULL for all others */
    uint64_t name_length;
    uint64_t root; /* Python's word for the root directory that this is below */
    uint64_t root_device;
    uint64_t root_inode;
    uint32_t readonly;
    uint32_t held;
    struct listing *listing;
    struct slot *next; /* while it is free */
};

struct words {
    uint8_t *blob; /* each with its NUL */
    uint64_t length;
    uint64_t count;
    uint64_t known;
};

/* The directory that was last looked into by a path of two names; see stat_in_parent. */
struct parent {
    const struct slot *of; /* below which it is; NULL: there is none */
    int fd;                /* -1: looked into once so far */
    dev_t device;
    ino_t inode;
    char name[256];
};

struct table {
    struct slot **numbers;
    uint64_t inserted; /* how many there ever were */
    uint32_t capacity;
    uint32_t count;
    uint32_t lowest; /* no number below it is free */
    uint32_t limit;
    uint32_t serves;
    int32_t opened; /* opened by path_open, and nothing that C serves: Python takes it over */
    struct words args;
    struct words environ;
    struct slot *free;
    struct parent *parent;
};

struct env {
    uint8_t *memory;
    uint64_t size;
    _Atomic(struct table *) table; /* NULL: every call goes to Python */
    void *context;
    uint32_t pool_left;
    uint32_t pool_generation;
    uint8_t pool[512];
};

typedef void *function(struct env *env, void *caller, uint8_t *a, size_t n);
typedef void *thunk(void *context, void *caller, uint8_t *a, size_t n);

/* The rows, each served by the function of its name. */
#define EACH_ROW(X)                                                                              \
    X(fd_read) X(fd_pread) X(fd_write) X(fd_pwrite) X(fd_seek) X(fd_tell) X(fd_close)            \
    X(fd_fdstat_get) X(fd_filestat_get) X(fd_filestat_set_times) X(fd_prestat_get)               \
    X(fd_prestat_dir_name) X(fd_readdir) X(path_open) X(path_filestat_get) X(path_unlink_file)   \
    X(clock_time_get) X(random_get)                                                              \
    X(args_sizes_get) X(args_get) X(environ_sizes_get) X(environ_get)

#define NUMBER(name) row_##name,
enum row { EACH_ROW(NUMBER) ROWS };

static thunk *python[ROWS];
static uint8_t errnos[256]; /* by host errno; 0: Python knows */
static uint64_t file_rights, directory_rights;
static atomic_uint fork_generation;

/* The whole call, by the thunk. */
#define PYTHON(name) python[row_##name](env->context, caller, a, n)

/* Arguments lie 16 bytes apart; the errno is stored where the first one was, in full. */

static inline uint32_t word(const uint8_t *a, unsigned place) {
    uint32_t value;
    memcpy(&value, a + 16 * place, sizeof value);
    return value;
}

static inline uint64_t long_word(const uint8_t *a, unsigned place) {
    uint64_t value;
    memcpy(&value, a + 16 * place, sizeof value);
    return value;
}

static inline void *answer(uint8_t *a, uint32_t errno_) {
    memcpy(a, &errno_, sizeof errno_);
    return NULL;
}

static inline void store_32(struct env *env, uint32_t at, uint32_t value) {
    memcpy(env->memory + at, &value, sizeof value);
}

static inline void store_64(struct env *env, uint32_t at, uint64_t value) {
    memcpy(env->memory + at, &value, sizeof value);
}

static inline int outside(const struct env *env, uint32_t at, uint64_t size) {
    return (uint64_t)at + size > env->size;
}

static inline struct table *table_of(struct env *env) {
    return atomic_load_explicit(&env->table, memory_order_acquire);
}

static inline struct slot *slot_of(const struct table *table, uint32_t fd) {
    return table && fd < table->capacity ? table->numbers[fd] : NULL;
}

#define KIND(kind) (1u << (kind))
#define FILES (KIND(HOST_FILE) | KIND(MEMORY_FILE))
#define ALL_KINDS (~KIND(FOREIGN))

/* The slot of the first argument, if it is of one of these kinds and has all of these rights. */
static inline struct slot *slot_for(const struct table *table, const uint8_t *a, uint32_t kinds,
                                    uint64_t rights) {
    struct slot *slot = slot_of(table, word(a, 0));
    return slot && kinds >> slot->kind & 1 && !(rights & ~slot->rights_base) ? slot : NULL;
}

/* Vectors. */

struct vectors {
    struct iovec items[VECTORS];
    int count;
    uint64_t total;
};

/* Copy the vectors of a call out of memory, the empty ones left out; 0: Python must look. */
static int gather(const struct env *env, uint32_t at, uint32_t count, struct vectors *found) {
    if (count > VECTORS || outside(env, at, 8 * (uint64_t)count))
        return 0;
    const uint8_t *raw = env->memory + at;
    found->items[0].iov_base = NULL;
    found->count = 0;
    found->total = 0;
    for (uint32_t i = 0; i < count; i++, raw += 8) {
        uint32_t pair[2];
        memcpy(pair, raw, sizeof pair);
        if (!pair[1])
            continue;
        if (outside(env, pair[0], pair[1]))
            return 0;
        found->items[found->count].iov_base = env->memory + pair[0];
        found->items[found->count].iov_len = pair[1];
        found->count++;
        found->total += pair[1];
    }
    /* Overlapping vectors can ask for more than there is: Python cuts, or refuses. */
    uint64_t room = env->size < GATHERED_BYTES ? env->size : GATHERED_BYTES;
    return found->count <= 1 || found->total <= room;
}

static int beyond(uint64_t offset, uint64_t total) {
    return offset > (uint64_t)INT64_MAX || total > (uint64_t)INT64_MAX - offset;
}

/* Nothing is asked for too, as Python does: some filesystems note that it was. */
static ssize_t read_at(int fd, const struct vectors *v, int64_t offset) {
    if (v->count > 1)
        return preadv(fd, v->items, v->count, (off_t)offset);
    return pread(fd, v->items[0].iov_base, (size_t)v->total, (off_t)offset);
}

static ssize_t write_at(int fd, const struct vectors *v, int64_t offset) {
    if (v->count > 1)
        return pwritev(fd, v->items, v->count, (off_t)offset);
    return pwrite(fd, v->items[0].iov_base, (size_t)v->total, (off_t)offset);
}

/* Bytes in memory. */

/* Whether a pipe does not wait just now; where it does, Python does the waiting. */
static int ready(int fd, short events) {
    struct pollfd pipe = {fd, events, 0};
    return poll(&pipe, 1, 0) == 1;
}

static void lock(struct bytes *bytes) {
    while (atomic_flag_test_and_set_explicit(&bytes->busy, memory_order_acquire)) {
    }
}

static void unlock(struct bytes *bytes) {
    atomic_flag_clear_explicit(&bytes->busy, memory_order_release);
}

static int grow(struct bytes *bytes, uint64_t wanted) {
    uint64_t capacity = bytes->capacity ? bytes->capacity : 1024;
    while (capacity < wanted)
        capacity += capacity / 2;
    if (capacity > SIZE_MAX)
        return 0;
    uint8_t *data = realloc(bytes->data, (size_t)capacity);
    if (!data)
        return 0;
    bytes->data = data;
    bytes->capacity = capacity;
    return 1;
}

/* Keep all of the vectors; 0: no room, or no memory. */
static int capture(struct bytes *bytes, const struct vectors *v) {
    lock(bytes);
    int kept = v->total <= bytes->room &&
               (v->total <= bytes->capacity - bytes->length ||
                grow(bytes, bytes->length + v->total));
    if (kept) {
        uint8_t *to = bytes->data + bytes->length;
        for (int i = 0; i < v->count; i++) {
            memcpy(to, v->items[i].iov_base, v->items[i].iov_len);
            to += v->items[i].iov_len;
        }
        bytes->length += v->total;
        bytes->room -= v->total;
    }
    unlock(bytes);
    return kept;
}

/* Copy what is there from an offset on; returns how much. */
static uint64_t copy_from(const struct bytes *bytes, uint64_t offset, const struct vectors *v) {
    uint64_t from = offset;
    for (int i = 0; i < v->count && from < bytes->length; i++) {
        uint64_t left = bytes->length - from;
        size_t size = v->items[i].iov_len < left ? v->items[i].iov_len : (size_t)left;
        memcpy(v->items[i].iov_base, bytes->data + from, size);
        from += size;
    }
    return from - offset;
}

static uint64_t take(struct bytes *bytes, const struct vectors *v) {
    uint64_t done = copy_from(bytes, bytes->position, v);
    bytes->position += done;
    return done;
}

/* Read a file in memory, whose bytes stay where they are; -1: they are not the file any more. */
static ssize_t read_pinned(const struct bytes *bytes, const struct vectors *v, uint64_t offset) {
    if (__atomic_load_n(&bytes->changed, __ATOMIC_ACQUIRE))
        return -1;
    return (ssize_t)copy_from(bytes, offset, v);
}

/* The C library's fstat is newfstatat with an empty path, which takes a quarter longer. */
static inline int stat_open(int fd, struct stat *st) {
#if defined(__linux__) && defined(__x86_64__) && !defined(__ILP32__)
    _Static_assert(sizeof *st == 144, "the kernel's own layout");
    return (int)syscall(SYS_fstat, fd, st);
#else
    return fstat(fd, st);
#endif
}

/* Descriptors. */

static void free_listing(struct listing *list) {
    if (list) {
        free(list->blob);
        free(list->offsets);
        free(list);
    }
}

static void set_listing(struct slot *slot, struct listing *list) {
    free_listing(slot->listing);
    slot->listing = list;
}

/* A slot with the lowest free number, which is `table->lowest - 1` then; NULL: no memory. */
static struct slot *insert(struct table *table) {
    uint32_t at = table->lowest;
    while (at < table->capacity && table->numbers[at])
        at++;
    if (at == table->capacity) {
        if (table->capacity > UINT32_MAX / 4)
            return NULL;
        uint32_t capacity = table->capacity ? 2 * table->capacity : 16;
        struct slot **numbers = realloc(table->numbers, capacity * sizeof *numbers);
        if (!numbers)
            return NULL;
        memset(numbers + table->capacity, 0, (capacity - table->capacity) * sizeof *numbers);
        table->numbers = numbers;
        table->capacity = capacity;
    }
    struct slot *slot = table->free;
    if (slot)
        table->free = slot->next;
    else if (!(slot = malloc(sizeof *slot)))
        return NULL;
    memset(slot, 0, sizeof *slot);
    slot->host_fd = -1;
    table->numbers[at] = slot;
    table->lowest = at + 1;
    table->count++;
    table->inserted++;
    return slot;
}

static void drop(struct table *table, struct slot *slot) {
    set_listing(slot, NULL);
    slot->kind = FOREIGN;
    slot->host_fd = -1;
    slot->next = table->free;
    table->free = slot;
}

static void forget_parent(struct parent *parent) {
    if (parent->of && parent->fd >= 0)
        close(parent->fd);
    parent->of = NULL;
    parent->fd = -1;
}

static void remove_number(struct table *table, uint32_t fd) {
    struct slot *slot = table->numbers[fd];
    if (table->parent && table->parent->of == slot)
        forget_parent(table->parent);
    table->numbers[fd] = NULL;
    table->count--;
    if (fd < table->lowest)
        table->lowest = fd;
    drop(table, slot);
}

/* Reading and writing; -1: Python must look. */

static ssize_t read_file(const struct slot *slot, const struct vectors *v, uint64_t offset) {
    if (beyond(offset, v->total))
        return -1;
    return slot->kind == MEMORY_FILE ? read_pinned(slot->bytes, v, offset)
                                     : read_at(slot->host_fd, v, (int64_t)offset);
}

static ssize_t write_file(const struct slot *slot, const struct vectors *v, uint64_t offset) {
    if (slot->fdflags & FDFLAGS_APPEND || beyond(offset, v->total))
        return -1;
    return write_at(slot->host_fd, v, (int64_t)offset);
}

static void *fd_read(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct vectors v;
    uint32_t out = word(a, 3);
    struct slot *slot = slot_for(table_of(env), a, ALL_KINDS, FD_READ);
    if (!slot || outside(env, out, 4) || !gather(env, word(a, 1), word(a, 2), &v))
        return PYTHON(fd_read);
    ssize_t done = -1;
    switch (slot->kind) {
    case HOST_FILE:
    case MEMORY_FILE:
        if ((done = read_file(slot, &v, (uint64_t)slot->position)) > 0)
            slot->position += done;
        break;
    case INPUT:
        done = (ssize_t)take(slot->bytes, &v);
        break;
    case NOTHING:
        done = 0;
        break;
    case HOST_PIPE:
        if (v.total > PIPE_READ || (v.total && !ready(slot->host_fd, POLLIN)))
            break;
        /* fall through */
    case HOST_STREAM:
        done = v.total ? readv(slot->host_fd, v.items, v.count) : 0;
        break;
    }
    if (done < 0)
        return PYTHON(fd_read);
    store_32(env, out, (uint32_t)done);
    return answer(a, 0);
}

static void *fd_pread(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct vectors v;
    uint64_t offset = long_word(a, 3);
    uint32_t out = word(a, 4);
    struct slot *slot = slot_for(table_of(env), a, FILES, FD_READ | FD_SEEK);
    if (!slot || outside(env, out, 4) || !gather(env, word(a, 1), word(a, 2), &v))
        return PYTHON(fd_pread);
    ssize_t done = read_file(slot, &v, offset);
    if (done < 0)
        return PYTHON(fd_pread);
    store_32(env, out, (uint32_t)done);
    return answer(a, 0);
}

static void *fd_write(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct vectors v;
    uint32_t out = word(a, 3);
    struct slot *slot = slot_for(table_of(env), a, ALL_KINDS, FD_WRITE);
    if (!slot || outside(env, out, 4) || !gather(env, word(a, 1), word(a, 2), &v))
        return PYTHON(fd_write);
    ssize_t done = -1;
    switch (slot->kind) {
    case HOST_FILE:
        if ((done = write_file(slot, &v, (uint64_t)slot->position)) > 0)
            slot->position += done;
        break;
    case OUTPUT:
        if (capture(slot->bytes, &v))
            done = (ssize_t)v.total;
        break;
    case NOTHING:
        done = (ssize_t)v.total;
        break;
    case HOST_PIPE: /* where it is ready it takes so much at once */
        if (v.total > PIPE_BUF || (v.total && !ready(slot->host_fd, POLLOUT)))
            break;
        /* fall through */
    case HOST_STREAM:
        done = v.total ? writev(slot->host_fd, v.items, v.count) : 0;
        break;
    }
    if (done < 0)
        return PYTHON(fd_write);
    store_32(env, out, (uint32_t)done);
    return answer(a, 0);
}

static void *fd_pwrite(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct vectors v;
    uint64_t offset = long_word(a, 3);
    uint32_t out = word(a, 4);
    struct slot *slot = slot_for(table_of(env), a, KIND(HOST_FILE), FD_WRITE | FD_SEEK);
    if (!slot || outside(env, out, 4) || !gather(env, word(a, 1), word(a, 2), &v))
        return PYTHON(fd_pwrite);
    ssize_t done = write_file(slot, &v, offset);
    if (done < 0)
        return PYTHON(fd_pwrite);
    store_32(env, out, (uint32_t)done);
    return answer(a, 0);
}

/* Positions. */

static void *fd_seek(struct env *env, void *caller, uint8_t *a, size_t n) {
    int64_t offset = (int64_t)long_word(a, 1), base = 0;
    uint32_t whence = word(a, 2), out = word(a, 3);
    struct slot *slot = slot_for(table_of(env), a, FILES, FD_SEEK);
    if (!slot || outside(env, out, 8) || whence > WHENCE_END)
        return PYTHON(fd_seek);
    if (whence == WHENCE_CUR) {
        base = slot->position;
    } else if (whence == WHENCE_END) {
        struct stat st;
        if (slot->kind == MEMORY_FILE || stat_open(slot->host_fd, &st))
            return PYTHON(fd_seek);
        base = st.st_size;
    }
    /* `base` is not negative, so only a positive offset can overflow. */
    if (base < 0 || (offset > 0 && base > INT64_MAX - offset) || base + offset < 0)
        return PYTHON(fd_seek);
    slot->position = base + offset;
    store_64(env, out, (uint64_t)slot->position);
    return answer(a, 0);
}

static void *fd_tell(struct env *env, void *caller, uint8_t *a, size_t n) {
    uint32_t out = word(a, 1);
    struct slot *slot = slot_for(table_of(env), a, FILES, FD_TELL);
    if (!slot || outside(env, out, 8))
        return PYTHON(fd_tell);
    store_64(env, out, (uint64_t)slot->position);
    return answer(a, 0);
}

/* What a descriptor is. */

static void *fd_fdstat_get(struct env *env, void *caller, uint8_t *a, size_t n) {
    uint32_t out = word(a, 1);
    struct slot *slot = slot_for(table_of(env), a, ALL_KINDS, 0);
    if (!slot || outside(env, out, 24))
        return PYTHON(fd_fdstat_get);
    uint16_t fdflags = (uint16_t)slot->fdflags;
    env->memory[out] = (uint8_t)slot->filetype; /* padding is never written */
    memcpy(env->memory + out + 2, &fdflags, sizeof fdflags);
    store_64(env, out + 8, slot->rights_base);
    store_64(env, out + 16, slot->rights_inheriting);
    return answer(a, 0);
}

static uint64_t nanoseconds(time_t seconds, long rest) {
    if (seconds < 0)
        return 0;
    uint64_t ns = (uint64_t)seconds;
    if (ns > UINT64_MAX / 1000000000)
        return UINT64_MAX;
    ns *= 1000000000;
    return ns > UINT64_MAX - (uint64_t)rest ? UINT64_MAX : ns + (uint64_t)rest;
}

static uint8_t filetype_of(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFREG: return FILETYPE_REGULAR_FILE;
    case S_IFDIR: return FILETYPE_DIRECTORY;
    case S_IFLNK: return FILETYPE_SYMBOLIC_LINK;
    case S_IFCHR: return FILETYPE_CHARACTER_DEVICE;
    case S_IFBLK: return FILETYPE_BLOCK_DEVICE;
    default: return FILETYPE_UNKNOWN;
    }
}

#ifdef __APPLE__
#define TIME(st, which) \
    nanoseconds((st)->st_##which##timespec.tv_sec, (st)->st_##which##timespec.tv_nsec)
#else
#define TIME(st, which) nanoseconds((st)->st_##which##tim.tv_sec, (st)->st_##which##tim.tv_nsec)
#endif

static void store_filestat(struct env *env, uint32_t out, const struct stat *st) {
    store_64(env, out, (uint64_t)st->st_dev);
    store_64(env, out + 8, st->st_ino);
    env->memory[out + 16] = filetype_of(st->st_mode);
    store_64(env, out + 24, st->st_nlink);
    store_64(env, out + 32, (uint64_t)st->st_size);
    store_64(env, out + 40, TIME(st, a));
    store_64(env, out + 48, TIME(st, m));
    store_64(env, out + 56, TIME(st, c));
}

static void *fd_filestat_get(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct stat st;
    uint32_t out = word(a, 1);
    struct slot *slot = slot_for(table_of(env), a, ALL_KINDS, FD_FILESTAT_GET);
    if (!slot || slot->kind == MEMORY_FILE || outside(env, out, 64))
        return PYTHON(fd_filestat_get);
    if (slot->kind == HOST_FILE || slot->kind == HOST_DIRECTORY) {
        if (stat_open(slot->host_fd, &st))
            return PYTHON(fd_filestat_get);
        store_filestat(env, out, &st);
        return answer(a, 0);
    }
    /* A stream tells nothing but its kind. */
    static const uint8_t zeros[40];
    memcpy(env->memory + out, zeros, 16);
    env->memory[out + 16] = (uint8_t)slot->filetype;
    memcpy(env->memory + out + 24, zeros, 40);
    return answer(a, 0);
}

/* What a call sets a time to: bit 0 of `which` is given, bit 1 now; 0: Python must look. */
static int choose_time(uint32_t which, uint64_t given, uint64_t now, struct timespec *chosen) {
    uint64_t ns = which & FSTFLAGS_ATIM ? given : now;
    chosen->tv_sec = (time_t)(ns / 1000000000);
    chosen->tv_nsec = which ? (long)(ns % 1000000000) : UTIME_OMIT;
    return which <= FSTFLAGS_ATIM_NOW && (uint64_t)chosen->tv_sec == ns / 1000000000;
}

static void *fd_filestat_set_times(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct timespec times[2], clock = {0, 0};
    uint32_t flags = word(a, 3);
    struct table *table = table_of(env);
    struct slot *slot = slot_for(table, a, KIND(HOST_FILE), FD_FILESTAT_SET_TIMES);
    if (!slot || slot->readonly || flags & ~FSTFLAGS_ALL ||
        (flags & FSTFLAGS_NOW &&
         (!(table->serves & SERVES_CLOCKS) || clock_gettime(CLOCK_REALTIME, &clock))))
        return PYTHON(fd_filestat_set_times);
    uint64_t now = nanoseconds(clock.tv_sec, clock.tv_nsec);
    if (!choose_time(flags & 3, long_word(a, 1), now, &times[0]) ||
        !choose_time(flags >> 2, long_word(a, 2), now, &times[1]) ||
        futimens(slot->host_fd, times))
        return PYTHON(fd_filestat_set_times);
    return answer(a, 0);
}

static void *fd_prestat_get(struct env *env, void *caller, uint8_t *a, size_t n) {
    uint32_t out = word(a, 1);
    struct slot *slot = slot_for(table_of(env), a, KIND(HOST_DIRECTORY), 0);
    if (!slot || !slot->name || outside(env, out, 8))
        return PYTHON(fd_prestat_get);
    env->memory[out] = 0;
    store_32(env, out + 4, (uint32_t)slot->name_length);
    return answer(a, 0);
}

static void *fd_prestat_dir_name(struct env *env, void *caller, uint8_t *a, size_t n) {
    uint32_t out = word(a, 1), room = word(a, 2);
    struct slot *slot = slot_for(table_of(env), a, KIND(HOST_DIRECTORY), 0);
    if (!slot || !slot->name || slot->name_length > room || outside(env, out, room))
        return PYTHON(fd_prestat_dir_name);
    memcpy(env->memory + out, slot->name, (size_t)slot->name_length);
    return answer(a, 0);
}

/* Listings: `.`, `..`, then the host's entries; a cookie is the index of the next entry. */

static int room_for(struct listing *list, uint64_t *bytes, uint64_t *items, uint64_t more) {
    if (list->length + more > *bytes) {
        uint64_t wanted = (*bytes + more) * 2 + 2048;
        uint8_t *blob = realloc(list->blob, (size_t)wanted);
        if (!blob)
            return 0;
        list->blob = blob;
        *bytes = wanted;
    }
    if (list->count == *items) {
        uint64_t wanted = *items * 2 + 64;
        uint64_t *offsets = realloc(list->offsets, (size_t)wanted * sizeof *offsets);
        if (!offsets)
            return 0;
        list->offsets = offsets;
        *items = wanted;
    }
    return 1;
}

static int append_entry(struct listing *list, uint64_t *bytes, uint64_t *items, uint64_t ino,
                        uint8_t filetype, const char *name) {
    size_t size = strlen(name);
    if (!room_for(list, bytes, items, DIRENT_BYTES + size))
        return 0;
    uint8_t *at = list->blob + list->length;
    uint64_t next = list->count + 1;
    uint32_t name_length = (uint32_t)size;
    memset(at, 0, DIRENT_BYTES);
    memcpy(at, &next, 8);
    memcpy(at + 8, &ino, 8);
    memcpy(at + 16, &name_length, 4);
    at[20] = filetype;
    memcpy(at + DIRENT_BYTES, name, size);
    list->offsets[list->count++] = list->length;
    list->length += DIRENT_BYTES + size;
    return 1;
}

/* The inode of the directory above; the directory's own at the root and outside of it. */
static int parent_inode(const struct slot *slot, const struct stat *own, uint64_t *ino) {
    char path[3 * LEVELS + 1];
    struct stat st = *own;
    *ino = own->st_ino;
    uint64_t inside = own->st_ino;
    for (int level = 0; level < LEVELS; level++) {
        if ((uint64_t)st.st_dev == slot->root_device && st.st_ino == slot->root_inode) {
            *ino = inside;
            return 1;
        }
        struct stat below = st;
        memcpy(path + 3 * level, "../", 4);
        if (fstatat(slot->host_fd, path, &st, 0))
            return 0;
        if (!level)
            inside = st.st_ino;
        if (st.st_dev == below.st_dev && st.st_ino == below.st_ino)
            return 1;
    }
    return 1;
}

static int kind_of_entry(int fd, const struct dirent *entry, uint8_t *filetype) {
    switch (entry->d_type) {
    case DT_REG: *filetype = FILETYPE_REGULAR_FILE; return 1;
    case DT_DIR: *filetype = FILETYPE_DIRECTORY; return 1;
    case DT_LNK: *filetype = FILETYPE_SYMBOLIC_LINK; return 1;
    case DT_CHR: *filetype = FILETYPE_CHARACTER_DEVICE; return 1;
    case DT_BLK: *filetype = FILETYPE_BLOCK_DEVICE; return 1;
    case DT_UNKNOWN: break;
    default: *filetype = FILETYPE_UNKNOWN; return 1;
    }
    struct stat st;
    if (!fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW))
        *filetype = filetype_of(st.st_mode);
    else if (errno == ENOENT)
        *filetype = FILETYPE_UNKNOWN;
    else
        return 0;
    return 1;
}

static int is_dots(const char *name) {
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

static int fill_listing(const struct slot *slot, DIR *directory, struct listing *list) {
    uint64_t bytes = 0, items = 0, above;
    struct stat own;
    if (stat_open(slot->host_fd, &own) || !parent_inode(slot, &own, &above) ||
        !append_entry(list, &bytes, &items, own.st_ino, FILETYPE_DIRECTORY, ".") ||
        !append_entry(list, &bytes, &items, above, FILETYPE_DIRECTORY, ".."))
        return 0;
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(directory);
        if (!entry)
            return errno == 0;
        uint8_t filetype;
        if (is_dots(entry->d_name))
            continue;
        if (!kind_of_entry(dirfd(directory), entry, &filetype) ||
            !append_entry(list, &bytes, &items, entry->d_ino, filetype, entry->d_name))
            return 0;
    }
}

static int take_listing(struct slot *slot) {
    struct listing *list = calloc(1, sizeof *list);
    /* A description of its own: the offset of a directory is part of it. */
    int fd = openat(slot->host_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (!directory && fd >= 0)
        close(fd);
    int done = list && directory && fill_listing(slot, directory, list);
    if (directory)
        closedir(directory);
    if (done)
        set_listing(slot, list);
    else
        free_listing(list);
    return done;
}

/* Copy entries from a cookie on; returns how many bytes, without `to` how many there are. */
EXPORT int64_t wasi_native_entries(struct slot *slot, uint64_t cookie, uint8_t *to,
                                   uint64_t room) {
    const struct listing *list = slot->listing;
    if (!list || cookie >= list->count)
        return 0;
    uint64_t start = list->offsets[cookie], left = list->length - start;
    uint64_t size = left < room ? left : room;
    if (!to)
        return (int64_t)left;
    memcpy(to, list->blob + start, (size_t)size);
    return (int64_t)size;
}

static void *fd_readdir(struct env *env, void *caller, uint8_t *a, size_t n) {
    uint32_t buf = word(a, 1), room = word(a, 2), out = word(a, 4);
    uint64_t cookie = long_word(a, 3);
    struct slot *slot = slot_for(table_of(env), a, KIND(HOST_DIRECTORY), FD_READDIR);
    if (!slot || outside(env, out, 4) || (room && outside(env, buf, room)) ||
        ((!cookie || !slot->listing) && !take_listing(slot)))
        return PYTHON(fd_readdir);
    int64_t size = room ? wasi_native_entries(slot, cookie, env->memory + buf, room) : 0;
    store_32(env, out, (uint32_t)size);
    return answer(a, 0);
}

/* Paths. */

static int is_utf8(const uint8_t *text, uint32_t size) {
    uint32_t at = 0;
    while (at < size) {
        uint8_t lead = text[at++];
        if (lead < 0x80)
            continue;
        uint32_t more = lead < 0xC2 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : lead < 0xF5 ? 3 : 0;
        if (!more || more > size - at)
            return 0;
        uint8_t second = text[at];
        uint8_t least = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        uint8_t most = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        if (second < least || second > most)
            return 0;
        for (uint32_t i = 1; i < more; i++)
            if ((text[at + i] & 0xC0) != 0x80)
                return 0;
        at += more;
    }
    return 1;
}

/* Copy a path out of memory; 0: empty, too long, no text, or outside. */
static int copy_path(const struct env *env, uint32_t at, uint32_t size, char *path) {
    if (!size || size > PATH_BYTES || outside(env, at, size))
        return 0;
    memcpy(path, env->memory + at, size);
    path[size] = 0;
    return !memchr(path, 0, size) && is_utf8((const uint8_t *)path, size);
}

/* Open a path that has a '/', never leaving the directory; ENOSYS where that is missing. */
static int open_beneath(int directory, const char *path, int flags, mode_t mode) {
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
    /* linux/openat2.h: RESOLVE_NO_MAGICLINKS and RESOLVE_BENEATH; the header may be older. */
    struct {
        uint64_t flags, mode, resolve;
    } how = {(uint64_t)flags, mode, 0x02 | 0x08};
    return (int)syscall(437, directory, path, &how, sizeof how);
#else
    (void)directory, (void)path, (void)flags, (void)mode;
    errno = ENOSYS;
    return -1;
#endif
}

#ifndef O_PATH
#define O_PATH 0
#endif
#ifndef O_NOCTTY
#define O_NOCTTY 0
#endif

/* How a path call that failed ends: one errno needs no second look. */
#define FAILED(name) (errno == ENOENT ? answer(a, errnos[ENOENT]) : PYTHON(name))

enum found { NOT_KNOWN, FOUND, MISSING };

/*
 * Look at "directory/name" from the directory itself, held open from the second look in a row on.
 * Three system calls become two. That the first name still is that directory, and no link, is seen
 * anew each time; its inode cannot be another's while it is open. NOT_KNOWN: look the other way.
 */
static enum found stat_in_parent(struct table *table, const struct slot *slot, const char *path,
                                 int follow, struct stat *st) {
    const char *slash = strchr(path, '/'), *name = slash + 1;
    size_t length = (size_t)(slash - path);
    struct parent *parent = table->parent;
    if (!length || length >= sizeof parent->name || !*name || strchr(name, '/') || is_dots(name))
        return NOT_KNOWN;
    if (!parent && !(parent = table->parent = calloc(1, sizeof *parent)))
        return NOT_KNOWN;
    if (parent->of != slot || memcmp(parent->name, path, length) || parent->name[length]) {
        forget_parent(parent);
        memcpy(parent->name, path, length);
        parent->name[length] = 0;
        if (!is_dots(parent->name))
            parent->of = slot;
        return NOT_KNOWN;
    }
    int held = parent->fd >= 0;
    if (!held) {
        parent->fd = openat(slot->host_fd, parent->name,
                            O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (parent->fd < 0)
            return NOT_KNOWN;
    }
    int failed = held ? fstatat(slot->host_fd, parent->name, st, AT_SYMLINK_NOFOLLOW)
                      : stat_open(parent->fd, st);
    if (failed || (held && (st->st_dev != parent->device || st->st_ino != parent->inode))) {
        forget_parent(parent);
        return NOT_KNOWN;
    }
    parent->device = st->st_dev;
    parent->inode = st->st_ino;
    if (fstatat(parent->fd, name, st, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? MISSING : NOT_KNOWN;
    return follow && S_ISLNK(st->st_mode) ? NOT_KNOWN : FOUND;
}

static void *path_filestat_get(struct env *env, void *caller, uint8_t *a, size_t n) {
    char path[PATH_BYTES + 1];
    struct stat st;
    struct table *table = table_of(env);
    uint32_t follow = word(a, 1), out = word(a, 4);
    struct slot *slot = slot_for(table, a, KIND(HOST_DIRECTORY), PATH_FILESTAT_GET);
    if (!slot || follow > 1 || outside(env, out, 64) ||
        !copy_path(env, word(a, 2), word(a, 3), path))
        return PYTHON(path_filestat_get);
    if (!strchr(path, '/')) {
        if (is_dots(path))
            return PYTHON(path_filestat_get);
        if (fstatat(slot->host_fd, path, &st, AT_SYMLINK_NOFOLLOW))
            return FAILED(path_filestat_get);
        if (follow && S_ISLNK(st.st_mode))
            return PYTHON(path_filestat_get);
    } else {
        if (!(table->serves & SERVES_BENEATH))
            return PYTHON(path_filestat_get);
        enum found found = stat_in_parent(table, slot, path, follow != 0, &st);
        if (found == MISSING)
            return answer(a, errnos[ENOENT]);
        if (found == NOT_KNOWN) {
            int fd = open_beneath(slot->host_fd, path,
                                  O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW), 0);
            if (fd < 0)
                return FAILED(path_filestat_get);
            int failed = stat_open(fd, &st);
            close(fd);
            if (failed)
                return PYTHON(path_filestat_get);
        }
    }
    store_filestat(env, out, &st);
    return answer(a, 0);
}

/* Of a longer path the directory is opened, as in Python: the name is removed in that one. */
static void *path_unlink_file(struct env *env, void *caller, uint8_t *a, size_t n) {
    char path[PATH_BYTES + 1];
    struct table *table = table_of(env);
    struct slot *slot = slot_for(table, a, KIND(HOST_DIRECTORY), PATH_UNLINK_FILE);
    if (!slot || slot->readonly || !copy_path(env, word(a, 1), word(a, 2), path))
        return PYTHON(path_unlink_file);
    char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!*name || is_dots(name) || slash == path ||
        (slash && !(table->serves & SERVES_BENEATH)))
        return PYTHON(path_unlink_file);
    int in = slot->host_fd;
    if (slash) {
        *slash = 0;
        in = open_beneath(slot->host_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
        if (in < 0)
            return FAILED(path_unlink_file);
    }
    int failed = unlinkat(in, name, 0), error = errno;
    if (slash)
        close(in);
    errno = error;
    return failed ? FAILED(path_unlink_file) : answer(a, 0);
}

/* What path_open asks for, decoded. */
struct opening {
    int flags;
    uint32_t fdflags;
    int readable, writable;
};

/* Decode and check; 0: Python must look. */
static int check_opening(const struct slot *parent, uint32_t oflags, uint64_t rights,
                         uint32_t fdflags, struct opening *wanted) {
    uint32_t changes = oflags & (OFLAGS_CREAT | OFLAGS_TRUNC);
    uint64_t needed = (oflags & OFLAGS_CREAT ? PATH_CREATE_FILE : 0) |
                      (oflags & OFLAGS_TRUNC ? PATH_FILESTAT_SET_SIZE : 0);
    if (oflags & ~OFLAGS_ALL || fdflags & ~FDFLAGS_ALL || fdflags & FDFLAGS_SYNC ||
        (oflags & OFLAGS_DIRECTORY && oflags & ~OFLAGS_DIRECTORY) ||
        ~parent->rights_base & needed ||
        (rights & (FD_READ | FD_WRITE)) & ~parent->rights_inheriting)
        return 0;
    wanted->writable = (rights & FD_WRITE) != 0;
    wanted->readable = !wanted->writable || rights & FD_READ;
    wanted->fdflags = fdflags;
    if (parent->readonly && (wanted->writable || changes))
        return 0;
    wanted->flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    if (wanted->writable)
        wanted->flags |= wanted->readable ? O_RDWR : O_WRONLY;
    if (oflags & OFLAGS_CREAT)
        wanted->flags |= O_CREAT | (oflags & OFLAGS_EXCL ? O_EXCL : 0);
    if (oflags & OFLAGS_TRUNC)
        wanted->flags |= O_TRUNC;
    if (oflags & OFLAGS_DIRECTORY)
        wanted->flags |= O_DIRECTORY;
    return 1;
}

/* Fill the slot of what was opened. */
static void describe(struct slot *slot, const struct slot *parent, const struct opening *wanted,
                     int fd, int directory) {
    uint64_t withheld =
        (wanted->readable ? 0 : FD_READ | FD_READDIR) | (wanted->writable ? 0 : FD_WRITE);
    slot->kind = directory ? HOST_DIRECTORY : HOST_FILE;
    slot->filetype = directory ? FILETYPE_DIRECTORY : FILETYPE_REGULAR_FILE;
    slot->access = directory ? directory_rights : file_rights & ~withheld;
    slot->rights_inheriting = parent->rights_inheriting;
    slot->rights_base = parent->rights_inheriting & slot->access;
    slot->fdflags = wanted->fdflags;
    slot->host_fd = fd;
    slot->readonly = parent->readonly;
    slot->root = parent->root;
    slot->root_device = parent->root_device;
    slot->root_inode = parent->root_inode;
}

static void *path_open(struct env *env, void *caller, uint8_t *a, size_t n) {
    char path[PATH_BYTES + 1];
    struct opening wanted;
    struct stat st;
    struct table *table = table_of(env);
    uint32_t follow = word(a, 1), out = word(a, 8);
    struct slot *parent = slot_for(table, a, KIND(HOST_DIRECTORY), PATH_OPEN);
    if (!parent || !(table->serves & SERVES_OPEN) || table->count >= table->limit ||
        follow > 1 || outside(env, out, 4) ||
        !copy_path(env, word(a, 2), word(a, 3), path) ||
        !check_opening(parent, word(a, 4), long_word(a, 5), word(a, 7), &wanted))
        return PYTHON(path_open);
    int fd;
    if (!strchr(path, '/')) {
        if (is_dots(path))
            return PYTHON(path_open);
        fd = openat(parent->host_fd, path, wanted.flags | O_NOFOLLOW, 0666);
    } else {
        if (!(table->serves & SERVES_BENEATH))
            return PYTHON(path_open);
        fd = open_beneath(parent->host_fd, path, wanted.flags | (follow ? 0 : O_NOFOLLOW),
                          wanted.flags & O_CREAT ? 0666 : 0);
    }
    if (fd < 0)
        return FAILED(path_open);
    /* A directory asked for is one, and what was made just now is a file: no need to look. */
    st.st_mode = wanted.flags & O_DIRECTORY ? S_IFDIR : wanted.flags & O_EXCL ? S_IFREG : 0;
    int known = st.st_mode || !stat_open(fd, &st);
    struct slot *slot = NULL;
    if (known && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
        slot = insert(table);
    if (!slot) {
        /* What was opened is not opened twice: a fifo's other end would see it come and go. */
        table->opened = fd;
        void *end = PYTHON(path_open);
        if (table->opened == fd) { /* not taken over: Python came to an errno before */
            table->opened = -1;
            close(fd);
        }
        return end;
    }
    describe(slot, parent, &wanted, fd, S_ISDIR(st.st_mode));
    store_32(env, out, table->lowest - 1);
    return answer(a, 0);
}

static void *fd_close(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct table *table = table_of(env);
    uint32_t fd = word(a, 0);
    struct slot *slot = slot_for(table, a, KIND(HOST_FILE) | KIND(HOST_DIRECTORY), 0);
    if (!slot || slot->held)
        return PYTHON(fd_close);
    int host_fd = slot->host_fd;
    remove_number(table, fd);
    /* The number is free even where closing fails, here and at the host. */
    if (!close(host_fd))
        return answer(a, 0);
    uint32_t error = errno > 0 && errno < 256 ? errnos[errno] : 0;
    return answer(a, error ? error : errnos[EIO]);
}

/* Clocks, random bytes, words. */

#ifdef __APPLE__
#define MONOTONIC CLOCK_UPTIME_RAW /* what Python's monotonic clock is there */
#else
#define MONOTONIC CLOCK_MONOTONIC
#endif

static void *clock_time_get(struct env *env, void *caller, uint8_t *a, size_t n) {
    static const clockid_t clocks[] = {CLOCK_REALTIME, MONOTONIC, CLOCK_PROCESS_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID};
    struct timespec now;
    struct table *table = table_of(env);
    uint32_t id = word(a, 0), out = word(a, 2);
    if (!table || !(table->serves & SERVES_CLOCKS) || id > 3 || outside(env, out, 8) ||
        clock_gettime(clocks[id], &now))
        return PYTHON(clock_time_get);
    store_64(env, out, nanoseconds(now.tv_sec, now.tv_nsec));
    return answer(a, 0);
}

static int ask_random(uint8_t *to, size_t size) {
#ifdef __linux__
    while (size) {
        long got = syscall(SYS_getrandom, to, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        to += got;
        size -= (size_t)got;
    }
#else
    arc4random_buf(to, size);
#endif
    return 1;
}

/* Small requests are cut from a pool, each byte once; a forked child drops what it inherited. */
static void *random_get(struct env *env, void *caller, uint8_t *a, size_t n) {
    struct table *table = table_of(env);
    uint32_t buf = word(a, 0), size = word(a, 1);
    if (!table || !(table->serves & SERVES_RANDOM) || !size || size > RANDOM_BYTES ||
        outside(env, buf, size))
        return PYTHON(random_get);
    if (size > RANDOM_SMALL)
        return ask_random(env->memory + buf, size) ? answer(a, 0) : PYTHON(random_get);
    uint32_t generation = atomic_load_explicit(&fork_generation, memory_order_relaxed);
    if (size > env->pool_left || generation != env->pool_generation) {
        if (!ask_random(env->pool, sizeof env->pool))
            return PYTHON(random_get);
        env->pool_left = sizeof env->pool;
        env->pool_generation = generation;
    }
    env->pool_left -= size;
    memcpy(env->memory + buf, env->pool + env->pool_left, size);
    memset(env->pool + env->pool_left, 0, size);
    return answer(a, 0);
}

static int tell_sizes(struct env *env, const struct words *words, uint8_t *a) {
    uint32_t count = word(a, 0), size = word(a, 1);
    if (!words->known || outside(env, count, 4) || outside(env, size, 4))
        return 0;
    store_32(env, count, (uint32_t)words->count);
    store_32(env, size, (uint32_t)words->length);
    return 1;
}

static int tell_words(struct env *env, const struct words *words, uint8_t *a) {
    uint32_t pointers = word(a, 0), buffer = word(a, 1);
    if (!words->known || outside(env, pointers, 4 * words->count) ||
        outside(env, buffer, words->length) || !words->count)
        return 0;
    memcpy(env->memory + buffer, words->blob, (size_t)words->length);
    const uint8_t *at = words->blob;
    for (uint64_t i = 0; i < words->count; i++) {
        store_32(env, (uint32_t)(pointers + 4 * i), (uint32_t)(buffer + (at - words->blob)));
        at += strlen((const char *)at) + 1;
    }
    return 1;
}

#define WORDS_ROW(name, tell, which)                                                             \
    static void *name(struct env *env, void *caller, uint8_t *a, size_t n) {                     \
        struct table *table = table_of(env);                                                     \
        return table && tell(env, &table->which, a) ? answer(a, 0) : PYTHON(name);               \
    }

WORDS_ROW(args_sizes_get, tell_sizes, args)
WORDS_ROW(args_get, tell_words, args)
WORDS_ROW(environ_sizes_get, tell_sizes, environ)
WORDS_ROW(environ_get, tell_words, environ)

/* What Python calls. */

#define NAMED(name) {#name, name},
static const struct {
    const char *name;
    function *serve;
} rows[ROWS] = {EACH_ROW(NAMED)};

EXPORT uint32_t wasi_native_abi(void) { return ABI; }

EXPORT uint32_t wasi_native_size(uint32_t which) {
    static const size_t sizes[] = {sizeof(struct bytes), sizeof(struct slot),
                                   sizeof(struct table), sizeof(struct env)};
    return which < sizeof sizes / sizeof *sizes ? (uint32_t)sizes[which] : 0;
}

EXPORT const char *wasi_native_name(uint32_t row) { return row < ROWS ? rows[row].name : NULL; }

EXPORT void *wasi_native_serve(uint32_t row, void *thunk_of_row) {
    /* A function pointer travels as an object pointer, as dlsym's does. */
    memcpy(&python[row], &thunk_of_row, sizeof thunk_of_row);
    void *address;
    function *serve = rows[row].serve;
    memcpy(&address, &serve, sizeof serve);
    return address;
}

EXPORT void wasi_native_setup(const uint8_t *map, uint64_t file, uint64_t directory) {
    memcpy(errnos, map, sizeof errnos);
    file_rights = file;
    directory_rights = directory;
}

EXPORT void wasi_native_forked(void) { atomic_fetch_add(&fork_generation, 1); }

EXPORT struct table *wasi_native_table(uint32_t limit, uint32_t serves) {
    struct table *table = calloc(1, sizeof *table);
    if (table) {
        table->limit = limit;
        table->serves = serves;
        table->opened = -1;
    }
    return table;
}

/* Close what no Python object stands for, and forget all. */
EXPORT void wasi_native_clear(struct table *table) {
    for (uint32_t fd = 0; table->count && fd < table->capacity; fd++) {
        struct slot *slot = table->numbers[fd];
        if (!slot)
            continue;
        if (!slot->held && slot->host_fd >= 0)
            close(slot->host_fd);
        remove_number(table, fd);
    }
    table->lowest = 0;
}

static void forget_words(struct words *words) {
    free(words->blob);
    memset(words, 0, sizeof *words);
}

EXPORT void wasi_native_free(struct table *table) {
    wasi_native_clear(table);
    while (table->free) {
        struct slot *slot = table->free;
        table->free = slot->next;
        free(slot);
    }
    forget_words(&table->args);
    forget_words(&table->environ);
    free(table->parent);
    free(table->numbers);
    free(table);
}

/* For a Python object. */
EXPORT struct slot *wasi_native_insert(struct table *table) {
    struct slot *slot = insert(table);
    if (slot)
        slot->held = 1;
    return slot;
}

EXPORT struct slot *wasi_native_find(struct table *table, uint32_t fd) {
    return slot_of(table, fd);
}

EXPORT void wasi_native_remove(struct table *table, uint32_t fd) { remove_number(table, fd); }

EXPORT void wasi_native_renumber(struct table *table, uint32_t fd, uint32_t to) {
    struct slot *moved = table->numbers[fd], *old = table->numbers[to];
    table->numbers[to] = moved;
    table->numbers[fd] = old;
    remove_number(table, fd);
}

EXPORT int wasi_native_words(struct words *words, const uint8_t *blob, uint64_t length,
                             uint64_t count) {
    forget_words(words);
    if (length && !(words->blob = malloc((size_t)length)))
        return 0;
    if (length)
        memcpy(words->blob, blob, (size_t)length);
    words->length = length;
    words->count = count;
    words->known = 1;
    return 1;
}

EXPORT void wasi_native_forget_words(struct table *table) {
    forget_words(&table->args);
    forget_words(&table->environ);
}

EXPORT int wasi_native_append(struct bytes *bytes, const uint8_t *data, uint64_t length) {
    struct vectors v;
    v.count = 1;
    v.total = length;
    v.items[0].iov_base = (void *)(uintptr_t)data;
    v.items[0].iov_len = (size_t)length;
    return capture(bytes, &v);
}

/* What was captured, which stays where it is until `wasi_native_let_go`. */
EXPORT const uint8_t *wasi_native_hold(struct bytes *bytes) {
    lock(bytes);
    return bytes->data;
}

EXPORT void wasi_native_let_go(struct bytes *bytes) { unlock(bytes); }

/* What one guest wrote is never left for the next one to be found behind its own. */
EXPORT void wasi_native_release(struct bytes *bytes) {
    bytes->room += bytes->length;
    free(bytes->data);
    bytes->data = NULL;
    bytes->length = bytes->capacity = 0;
}

/* Put the first descriptors back as `saved` says; nothing was closed or opened since. */
EXPORT void wasi_native_restore(struct table *table, const struct slot *saved, uint32_t count) {
    for (uint32_t fd = 0; fd < count && fd < table->capacity; fd++)
        if (table->numbers[fd])
            *table->numbers[fd] = saved[fd];
    wasi_native_forget_words(table);
}

EXPORT int wasi_native_keep_listing(struct slot *slot, const uint8_t *blob, uint64_t length,
                                    const uint64_t *offsets, uint64_t count) {
    struct listing *list = calloc(1, sizeof *list);
    if (!list || !(list->blob = malloc((size_t)length)) ||
        !(list->offsets = malloc((size_t)count * sizeof *offsets))) {
        free_listing(list);
        return 0;
    }
    memcpy(list->blob, blob, (size_t)length);
    memcpy(list->offsets, offsets, (size_t)count * sizeof *offsets);
    list->length = length;
    list->count = count;
    set_listing(slot, list);
    return 1;
}
