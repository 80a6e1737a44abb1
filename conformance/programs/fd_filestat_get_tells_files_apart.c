// fd_filestat_get: dev and ino are one file's through each descriptor, and another's never. [POSIX: sys/stat.h]
#include "wasi.h"

void test(void) {
    filestat a, b, other;
    expect(SUCCESS, fd_filestat_get(opened("text.txt", 0), &a));
    expect(SUCCESS, fd_filestat_get(opened("text.txt", 0), &b));
    expect(SUCCESS, fd_filestat_get(opened("sub/inside.txt", 0), &other));
    holds(a.dev == b.dev && a.ino == b.ino);
    holds(a.ino != other.ino || a.dev != other.dev);
}
