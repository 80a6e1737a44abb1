/* One program for both import modules: `wasi_snapshot_preview1`, or with -DUNSTABLE its
 * predecessor `wasi_unstable`, whose whence order, filestat and subscription differ. It uses no
 * libc, whose own calls would be preview 1's. What it prints must not depend on the module. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#ifdef UNSTABLE
#define MODULE "wasi_unstable"
enum { CUR, END, SET };
typedef u32 linkcount;
#else
#define MODULE "wasi_snapshot_preview1"
enum { SET, CUR, END };
typedef u64 linkcount;
#endif

typedef struct { u64 dev, ino; u8 filetype; linkcount nlink; u64 size, atim, mtim, ctim; } filestat;
typedef struct {
#ifdef UNSTABLE
    u64 identifier;
#endif
    u32 id; u64 timeout, precision; u16 flags;
} clock_subscription;
typedef struct {
    u64 userdata; u8 tag;
    union { clock_subscription clock; u32 fd; } u;
} subscription;
typedef struct { u64 userdata; u16 error; u8 type; u64 nbytes; u16 flags; } event;
typedef struct { const void *buf; u32 len; } iovec;

#define IMPORT(name) __attribute__((import_module(MODULE), import_name(#name)))
IMPORT(fd_write) u32 fd_write(u32, const iovec *, u32, u32 *);
IMPORT(fd_read) u32 fd_read(u32, const iovec *, u32, u32 *);
IMPORT(fd_seek) u32 fd_seek(u32, i64, u32, u64 *);
IMPORT(fd_tell) u32 fd_tell(u32, u64 *);
IMPORT(fd_filestat_get) u32 fd_filestat_get(u32, filestat *);
IMPORT(fd_close) u32 fd_close(u32);
IMPORT(fd_readdir) u32 fd_readdir(u32, void *, u32, u64, u32 *);
IMPORT(path_open) u32 path_open(u32, u32, const char *, u32, u32, u64, u64, u32, u32 *);
IMPORT(path_filestat_get) u32 path_filestat_get(u32, u32, const char *, u32, filestat *);
IMPORT(path_link) u32 path_link(u32, u32, const char *, u32, u32, const char *, u32);
IMPORT(poll_oneoff) u32 poll_oneoff(const subscription *, event *, u32, u32 *);
IMPORT(args_sizes_get) u32 args_sizes_get(u32 *, u32 *);
IMPORT(proc_exit) _Noreturn void proc_exit(u32);

static u32 length(const char *text) { u32 n = 0; while (text[n]) n++; return n; }

static void put(const void *text, u32 n) {
    iovec v = {text, n};
    u32 done;
    fd_write(1, &v, 1, &done);
}

static void show(const char *what, u64 value) {
    char digits[24];
    u32 at = sizeof digits;
    digits[--at] = '\n';
    do digits[--at] = '0' + value % 10; while (value /= 10);
    put(what, length(what));
    put(" ", 1);
    put(digits + at, sizeof digits - at);
}

static void show_stat(const filestat *st) {
    show("  filetype", st->filetype);
    show("  nlink", st->nlink);
    show("  size", st->size);
    show("  mtim", st->mtim > 1 ? 1 : st->mtim);
}

void _start(void) {
    u32 fd, n, count;
    u64 at;
    filestat st;
    char block[8];
    iovec into = {block, 4};
    show("args", (args_sizes_get(&count, &n), count));
    /* CREAT; read, write, seek, tell, filestat and poll */
    show("open", path_open(3, 0, "new", 3, 1, (1 << 1) | (1 << 2) | (1 << 5) | (1 << 6) | (1 << 21) | (1 << 27), 0, 0, &fd));
    iovec out[2] = {{"01234", 5}, {"56789", 5}};
    show("write", fd_write(fd, out, 2, &n));
    show("written", n);
    show("seek to 3", fd_seek(fd, 3, SET, &at)); show("at", at);
    show("seek by 2", fd_seek(fd, 2, CUR, &at)); show("at", at);
    show("seek from the end", fd_seek(fd, -4, END, &at)); show("at", at);
    show("tell", fd_tell(fd, &at)); show("at", at);
    show("whence 3", fd_seek(fd, 0, 3, &at));
    show("read", fd_read(fd, &into, 1, &n)); put(block, n); put("\n", 1);
    show("link", path_link(3, 0, "new", 3, 3, "other", 5));
    show("fd_filestat_get", fd_filestat_get(fd, &st)); show_stat(&st);
    show("path_filestat_get", path_filestat_get(3, 0, "sub", 3, &st)); show_stat(&st);
    fd_seek(fd, 0, SET, &at);
    subscription in[2] = {{.userdata = 11, .tag = 1}, {.userdata = 12, .tag = 0}};
    in[0].u.fd = fd;
    in[1].u.clock.id = 1;
    in[1].u.clock.timeout = 3600000000000ull;
    event events[2];
    show("poll", poll_oneoff(in, events, 2, &count));
    show("events", count);
    show("  userdata", events[0].userdata);
    show("  type", events[0].type);
    show("  nbytes", events[0].nbytes);
    in[0] = in[1];
    in[0].u.clock.timeout = 1000;
    show("poll of a clock", poll_oneoff(in, events, 1, &count));
    show("events", count);
    show("  type", events[0].type);
    show("close", fd_close(fd));
    show("closed", fd_close(fd));
    u8 names[512];
    show("readdir", fd_readdir(3, names, sizeof names, 0, &n));
    show("bytes", n);
    proc_exit(42);
}
