// fd_seek: from the start, the position and the end; the new offset is told. [POSIX: lseek]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_seek(file, 5, SET, &at));
    holds(at == 5);
    expect(SUCCESS, fd_seek(file, -2, CUR, &at));
    holds(at == 3);
    expect(SUCCESS, fd_seek(file, -1, END, &at));
    holds(at == 12 && position(file) == 12);
}
