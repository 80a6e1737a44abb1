/* All of wasi_snapshot_preview1 as the witx has it, and what a test of it needs: no libc, so that
 * a program makes the calls that stand in it and no others.
 *
 * A program defines `void test(void)`; it passes if that returns. Failing, it says on standard
 * error where, what was expected and what came instead, and exits with 1. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef u32 fd;

/* --- enumerations and flags ------------------------------------------------------------- */

#define ERRNOS(E) \
    E(SUCCESS) E(TOOBIG) E(ACCES) E(ADDRINUSE) E(ADDRNOTAVAIL) E(AFNOSUPPORT) E(AGAIN) E(ALREADY) \
    E(BADF) E(BADMSG) E(BUSY) E(CANCELED) E(CHILD) E(CONNABORTED) E(CONNREFUSED) E(CONNRESET) \
    E(DEADLK) E(DESTADDRREQ) E(DOM) E(DQUOT) E(EXIST) E(FAULT) E(FBIG) E(HOSTUNREACH) E(IDRM) \
    E(ILSEQ) E(INPROGRESS) E(INTR) E(INVAL) E(IO) E(ISCONN) E(ISDIR) E(LOOP) E(MFILE) E(MLINK) \
    E(MSGSIZE) E(MULTIHOP) E(NAMETOOLONG) E(NETDOWN) E(NETRESET) E(NETUNREACH) E(NFILE) E(NOBUFS) \
    E(NODEV) E(NOENT) E(NOEXEC) E(NOLCK) E(NOLINK) E(NOMEM) E(NOMSG) E(NOPROTOOPT) E(NOSPC) \
    E(NOSYS) E(NOTCONN) E(NOTDIR) E(NOTEMPTY) E(NOTRECOVERABLE) E(NOTSOCK) E(NOTSUP) E(NOTTY) \
    E(NXIO) E(OVERFLOW) E(OWNERDEAD) E(PERM) E(PIPE) E(PROTO) E(PROTONOSUPPORT) E(PROTOTYPE) \
    E(RANGE) E(ROFS) E(SPIPE) E(SRCH) E(STALE) E(TIMEDOUT) E(TXTBSY) E(XDEV) E(NOTCAPABLE)
#define ENUMERATOR_(name) name,
#define NAME_(name) #name "\0"
enum { ERRNOS(ENUMERATOR_) ERRNO_COUNT };

enum { REALTIME, MONOTONIC, PROCESS_CPUTIME_ID, THREAD_CPUTIME_ID };
enum { SET, CUR, END };
enum {
    UNKNOWN, BLOCK_DEVICE, CHARACTER_DEVICE, DIRECTORY_TYPE, REGULAR_FILE, SOCKET_DGRAM,
    SOCKET_STREAM, SYMBOLIC_LINK
};
enum { NORMAL, SEQUENTIAL, RANDOM, WILLNEED, DONTNEED, NOREUSE };
enum { CLOCK, FD_READ_EVENT, FD_WRITE_EVENT };
enum { APPEND = 1, DSYNC = 2, NONBLOCK = 4, RSYNC = 8, SYNC = 16 };
enum { NOFOLLOW = 0, FOLLOW = 1 };
enum { CREAT = 1, DIRECTORY = 2, EXCL = 4, TRUNC = 8 };
enum { ATIM = 1, ATIM_NOW = 2, MTIM = 4, MTIM_NOW = 8 };
enum { ABSTIME = 1 };
enum { HANGUP = 1 };
enum { PEEK = 1, WAITALL = 2, DATA_TRUNCATED = 1, RD = 1, WR = 2 };
enum {
    FD_DATASYNC = 1 << 0, FD_READ = 1 << 1, FD_SEEK = 1 << 2, FD_FDSTAT_SET_FLAGS = 1 << 3,
    FD_SYNC = 1 << 4, FD_TELL = 1 << 5, FD_WRITE = 1 << 6, FD_ADVISE = 1 << 7,
    FD_ALLOCATE = 1 << 8, PATH_CREATE_DIRECTORY = 1 << 9, PATH_CREATE_FILE = 1 << 10,
    PATH_LINK_SOURCE = 1 << 11, PATH_LINK_TARGET = 1 << 12, PATH_OPEN = 1 << 13,
    FD_READDIR = 1 << 14, PATH_READLINK = 1 << 15, PATH_RENAME_SOURCE = 1 << 16,
    PATH_RENAME_TARGET = 1 << 17, PATH_FILESTAT_GET = 1 << 18, PATH_FILESTAT_SET_SIZE = 1 << 19,
    PATH_FILESTAT_SET_TIMES = 1 << 20, FD_FILESTAT_GET = 1 << 21, FD_FILESTAT_SET_SIZE = 1 << 22,
    FD_FILESTAT_SET_TIMES = 1 << 23, PATH_SYMLINK = 1 << 24, PATH_REMOVE_DIRECTORY = 1 << 25,
    PATH_UNLINK_FILE = 1 << 26, POLL_FD_READWRITE = 1 << 27, SOCK_SHUTDOWN = 1 << 28,
    SOCK_ACCEPT = 1 << 29,
};
/* What a program asks for where rights are not what it is about. */
#define FILE_RIGHTS \
    (FD_DATASYNC | FD_READ | FD_SEEK | FD_FDSTAT_SET_FLAGS | FD_SYNC | FD_TELL | FD_WRITE \
     | FD_ADVISE | FD_ALLOCATE | FD_FILESTAT_GET | FD_FILESTAT_SET_SIZE | FD_FILESTAT_SET_TIMES \
     | POLL_FD_READWRITE)
#define READ_RIGHTS (FILE_RIGHTS & ~(FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE))
#define DIRECTORY_RIGHTS \
    (FD_READDIR | FD_FILESTAT_GET | FD_FILESTAT_SET_TIMES | PATH_CREATE_DIRECTORY \
     | PATH_CREATE_FILE | PATH_LINK_SOURCE | PATH_LINK_TARGET | PATH_OPEN | PATH_READLINK \
     | PATH_RENAME_SOURCE | PATH_RENAME_TARGET | PATH_FILESTAT_GET | PATH_FILESTAT_SET_SIZE \
     | PATH_FILESTAT_SET_TIMES | PATH_SYMLINK | PATH_REMOVE_DIRECTORY | PATH_UNLINK_FILE)

/* --- records ----------------------------------------------------------------------------- */

typedef struct { void *buf; u32 buf_len; } iovec;
typedef struct { const void *buf; u32 buf_len; } ciovec;
typedef struct { u8 filetype; u16 flags; u64 rights_base, rights_inheriting; } fdstat;
typedef struct { u64 dev, ino; u8 filetype; u64 nlink, size, atim, mtim, ctim; } filestat;
typedef struct { u8 tag; u32 name_len; } prestat;
/* packed: in a listing names of any length stand between them */
typedef struct __attribute__((packed)) { u64 next, ino; u32 namlen; u8 type, padding[3]; } dirent;
typedef struct {
    u64 userdata;
    u8 tag;
    union {
        struct { u32 id; u64 timeout, precision; u16 flags; } clock;
        struct { fd file_descriptor; } rw;
    };
} subscription;
typedef struct { u64 userdata; u16 error; u8 type; u64 nbytes; u16 flags; } event;
_Static_assert(sizeof(fdstat) == 24 && sizeof(filestat) == 64 && sizeof(dirent) == 24, "witx");
_Static_assert(sizeof(subscription) == 48 && sizeof(event) == 32 && sizeof(prestat) == 8, "witx");

/* --- the 46 functions -------------------------------------------------------------------- */

#define WASI(name) \
    __attribute__((import_module("wasi_snapshot_preview1"), import_name(#name))) u32 name
WASI(args_get)(char **argv, char *argv_buf);
WASI(args_sizes_get)(u32 *argc, u32 *argv_buf_size);
WASI(environ_get)(char **environ, char *environ_buf);
WASI(environ_sizes_get)(u32 *environc, u32 *environ_buf_size);
WASI(clock_res_get)(u32 id, u64 *resolution);
WASI(clock_time_get)(u32 id, u64 precision, u64 *time);
WASI(fd_advise)(fd, u64 offset, u64 len, u32 advice);
WASI(fd_allocate)(fd, u64 offset, u64 len);
WASI(fd_close)(fd);
WASI(fd_datasync)(fd);
WASI(fd_fdstat_get)(fd, fdstat *stat);
WASI(fd_fdstat_set_flags)(fd, u32 flags);
WASI(fd_fdstat_set_rights)(fd, u64 base, u64 inheriting);
WASI(fd_filestat_get)(fd, filestat *stat);
WASI(fd_filestat_set_size)(fd, u64 size);
WASI(fd_filestat_set_times)(fd, u64 atim, u64 mtim, u32 fst_flags);
WASI(fd_pread)(fd, const iovec *iovs, u32 count, u64 offset, u32 *nread);
WASI(fd_prestat_get)(fd, prestat *buf);
WASI(fd_prestat_dir_name)(fd, char *path, u32 path_len);
WASI(fd_pwrite)(fd, const ciovec *iovs, u32 count, u64 offset, u32 *nwritten);
WASI(fd_read)(fd, const iovec *iovs, u32 count, u32 *nread);
WASI(fd_readdir)(fd, void *buf, u32 buf_len, u64 cookie, u32 *bufused);
WASI(fd_renumber)(fd, fd to);
WASI(fd_seek)(fd, i64 offset, u32 whence, u64 *newoffset);
WASI(fd_sync)(fd);
WASI(fd_tell)(fd, u64 *offset);
WASI(fd_write)(fd, const ciovec *iovs, u32 count, u32 *nwritten);
WASI(path_create_directory)(fd, const char *path, u32 len);
WASI(path_filestat_get)(fd, u32 flags, const char *path, u32 len, filestat *buf);
WASI(path_filestat_set_times)(fd, u32 flags, const char *path, u32 len, u64 atim, u64 mtim,
                              u32 fst_flags);
WASI(path_link)(fd old, u32 flags, const char *path, u32 len, fd new_, const char *, u32);
WASI(path_open)(fd, u32 dirflags, const char *path, u32 len, u32 oflags, u64 base, u64 inheriting,
                u32 fdflags, fd *opened);
WASI(path_readlink)(fd, const char *path, u32 len, char *buf, u32 buf_len, u32 *bufused);
WASI(path_remove_directory)(fd, const char *path, u32 len);
WASI(path_rename)(fd old, const char *path, u32 len, fd new_, const char *, u32);
WASI(path_symlink)(const char *target, u32 target_len, fd, const char *path, u32 len);
WASI(path_unlink_file)(fd, const char *path, u32 len);
WASI(poll_oneoff)(const subscription *in, event *out, u32 count, u32 *nevents);
WASI(proc_raise)(u32 signal);
WASI(sched_yield)(void);
WASI(random_get)(void *buf, u32 len);
WASI(sock_accept)(fd, u32 flags, fd *connection);
WASI(sock_recv)(fd, const iovec *, u32 count, u32 ri_flags, u32 *ro_datalen, u16 *ro_flags);
WASI(sock_send)(fd, const ciovec *, u32 count, u32 si_flags, u32 *so_datalen);
WASI(sock_shutdown)(fd, u32 how);
__attribute__((import_module("wasi_snapshot_preview1"), import_name("proc_exit")))
_Noreturn void proc_exit(u32 code);

/* --- what the programs share ------------------------------------------------------------- */

enum { STDIN, STDOUT, STDERR, ROOT };              /* ROOT: the directory that the .json names */
#define PATH(text) text, sizeof(text) - 1          /* a path's two parameters */
#define NOWHERE ((void *)0xfffffff0u)              /* no memory is that large */
#define MEMORY_END ((char *)(__builtin_wasm_memory_size(0) << 16))
#define COUNT(array) (sizeof(array) / sizeof *(array))
#define SHARED_ static __attribute__((noinline, unused))
#define LINE_(line) #line
#define HERE__(line) __FILE__ ":" LINE_(line) ": "
#define HERE HERE__(__LINE__)

SHARED_ u32 length(const char *text) {
    u32 n = 0;
    while (text[n]) n++;
    return n;
}

SHARED_ int same(const void *a, const void *b, u32 n) {
    while (n && ((const u8 *)a)[n - 1] == ((const u8 *)b)[n - 1]) n--;
    return n == 0;
}

SHARED_ void fill(void *at, u8 byte, u32 n) {
    while (n--) ((volatile u8 *)at)[n] = byte;
}

SHARED_ int filled(const void *at, u8 byte, u32 n) {
    while (n && ((const u8 *)at)[n - 1] == byte) n--;
    return n == 0;
}

_Noreturn SHARED_ void fail(const char *expectation, u32 got) {
    static const char names[] = ERRNOS(NAME_);
    const char *name = names;
    if (got >= ERRNO_COUNT) name = "";
    else while (got--) name += length(name) + 1;
    ciovec words[] = {{expectation, length(expectation)}, {name, length(name)}, {"\n", 1}};
    u32 n;
    for (u32 i = 0; i < 3; i++) fd_write(STDERR, words + i, 1, &n);
    proc_exit(1);
}

/* expect(NOENT, path_open(...)): the call answers this errno. */
SHARED_ void expect_(const char *where, u32 errno_, u32 got) {
    if (got != errno_) fail(where, got);
}
#define expect(errno_, call) expect_(HERE "expected " #errno_ ", got ", errno_, call)
/* either of two, where the text leaves the host a choice */
#define expect_either(one, other, call) do { \
        u32 got_ = (call); \
        if (got_ != one && got_ != other) \
            fail(HERE "expected " #one " or " #other ", got ", got_); \
    } while (0)
#define holds(condition) do { \
        if (!(condition)) fail(HERE "does not hold: " #condition, ERRNO_COUNT); \
    } while (0)

/* Open a path below `dir`, for all that a file can do. */
SHARED_ fd open_(const char *where, fd dir, const char *path, u32 oflags, u64 rights, u32 flags) {
    fd opened;
    u64 inheriting = rights | FILE_RIGHTS;
    expect_(where, SUCCESS, path_open(dir, NOFOLLOW, path, length(path), oflags, rights,
                                      oflags & DIRECTORY ? inheriting : 0, flags, &opened));
    return opened;
}
#define opened(path, oflags) open_(HERE "opening " path ": ", ROOT, path, oflags, FILE_RIGHTS, 0)
#define opened_with(path, oflags, rights, fdflags) \
    open_(HERE "opening " path ": ", ROOT, path, oflags, rights, fdflags)
#define opened_directory(path) \
    open_(HERE "opening " path ": ", ROOT, path, DIRECTORY, DIRECTORY_RIGHTS, 0)

/* Write all of a text at the position; read as much as there is, up to `n`. */
SHARED_ void write_(const char *where, fd file, const char *text, u32 n) {
    ciovec iov = {text, n};
    u32 written = 0;
    expect_(where, SUCCESS, fd_write(file, &iov, 1, &written));
    if (written != n) fail(where, ERRNO_COUNT);
}
#define write_text(file, text) write_(HERE "writing: ", file, text, length(text))

SHARED_ u32 read_(const char *where, fd file, void *buf, u32 n) {
    iovec iov = {buf, n};
    u32 nread = 0;
    expect_(where, SUCCESS, fd_read(file, &iov, 1, &nread));
    return nread;
}
#define read_up_to(file, buf, n) read_(HERE "reading: ", file, buf, n)

/* Make a file, or a directory, that is not there yet. */
SHARED_ void make_file_(const char *where, const char *path, const char *text) {
    fd file = open_(where, ROOT, path, CREAT | EXCL, FILE_RIGHTS, 0);
    write_(where, file, text, length(text));
    expect_(where, SUCCESS, fd_close(file));
}
#define make_file(path, text) make_file_(HERE "making " path ": ", path, text)
#define make_directory(path) expect(SUCCESS, path_create_directory(ROOT, PATH(path)))
#define make_symlink(target, path) expect(SUCCESS, path_symlink(PATH(target), ROOT, PATH(path)))

/* A file's bytes are exactly these. */
SHARED_ void contains_(const char *where, const char *path, const char *text, u32 n) {
    static char buf[512];
    fd file = open_(where, ROOT, path, 0, READ_RIGHTS, 0);
    u32 nread = read_(where, file, buf, sizeof buf);
    if (nread != n || !same(buf, text, n)) fail(where, ERRNO_COUNT);
    expect_(where, SUCCESS, fd_close(file));
}
#define expect_bytes(path, text, n) contains_(HERE "other content: " path " ", path, text, n)
#define expect_content(path, text) expect_bytes(path, text, length(text))

SHARED_ filestat stat_(const char *where, const char *path) {
    filestat stat;
    expect_(where, SUCCESS, path_filestat_get(ROOT, NOFOLLOW, path, length(path), &stat));
    return stat;
}
#define stat_of(path) stat_(HERE "stat of " path ": ", path)
#define expect_missing(path) do { \
        filestat stat_; \
        expect(NOENT, path_filestat_get(ROOT, NOFOLLOW, PATH(path), &stat_)); \
    } while (0)

SHARED_ u64 position_(const char *where, fd file) {
    u64 offset;
    expect_(where, SUCCESS, fd_tell(file, &offset));
    return offset;
}
#define position(file) position_(HERE "position: ", file)

/* List what fits into a buffer; find a whole entry in it, or NULL. */
SHARED_ u32 list_(const char *where, fd directory, void *buf, u32 size, u64 cookie) {
    u32 used;
    expect_(where, SUCCESS, fd_readdir(directory, buf, size, cookie, &used));
    return used;
}
#define list(directory, buf, size, cookie) list_(HERE "listing: ", directory, buf, size, cookie)

SHARED_ dirent *entry(char *buf, u32 used, const char *name) {
    for (u32 at = 0; at + sizeof(dirent) <= used;) {
        dirent *head = (dirent *)(buf + at);
        at += sizeof *head + head->namlen;
        if (at <= used && head->namlen == length(name) && same(head + 1, name, length(name)))
            return head;
    }
    return 0;
}

/* What a poll waits for; wait for it. */
SHARED_ subscription clock_after(u64 userdata, u32 id, u64 timeout, u32 flags) {
    return (subscription){userdata, CLOCK, .clock = {id, timeout, 0, flags}};
}

SHARED_ subscription ready_for(u64 userdata, u8 type, fd file) {
    return (subscription){userdata, type, .rw = {file}};
}

SHARED_ u32 poll_(const char *where, const subscription *in, event *out, u32 count) {
    u32 nevents = 0;
    expect_(where, SUCCESS, poll_oneoff(in, out, count, &nevents));
    if (nevents == 0 || nevents > count) fail(where, ERRNO_COUNT);
    return nevents;
}
#define poll(in, out, count) poll_(HERE "polling: ", in, out, count)

SHARED_ u64 time_(const char *where, u32 id) {
    u64 time;
    expect_(where, SUCCESS, clock_time_get(id, 1, &time));
    return time;
}
#define now(id) time_(HERE "time: ", id)
#define MILLISECOND 1000000ull
#define SECOND 1000000000ull

/* Send all of a text on a socket; receive what is there, up to `n`. */
SHARED_ void send_(const char *where, fd socket, const char *text) {
    ciovec iov = {text, length(text)};
    u32 sent = 0;
    expect_(where, SUCCESS, sock_send(socket, &iov, 1, 0, &sent));
    if (sent != iov.buf_len) fail(where, ERRNO_COUNT);
}
#define send_text(socket, text) send_(HERE "sending: ", socket, text)

SHARED_ u32 receive_(const char *where, fd socket, void *buf, u32 n, u32 ri_flags) {
    iovec iov = {buf, n};
    u32 received = 0;
    u16 ro_flags;
    expect_(where, SUCCESS, sock_recv(socket, &iov, 1, ri_flags, &received, &ro_flags));
    return received;
}
#define receive(socket, buf, n) receive_(HERE "receiving: ", socket, buf, n, 0)

/* Nobody else defines what the compiler may call for large copies. */
__attribute__((weak)) void *memset(void *at, int byte, __SIZE_TYPE__ n) {
    fill(at, (u8)byte, n);
    return at;
}
__attribute__((weak)) void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
    while (n--) ((volatile u8 *)to)[n] = ((const u8 *)from)[n];
    return to;
}

#ifndef OWN_START
void test(void);
__attribute__((export_name("_start"))) void start_(void) {
    test();
}
#endif
