// fd_seek: a negative result; the position stays. [POSIX: lseek]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_seek(file, 5, SET, &at));
    expect(INVAL, fd_seek(file, -1, SET, &at));
    expect(INVAL, fd_seek(file, -6, CUR, &at));
    expect(INVAL, fd_seek(file, -14, END, &at));
    holds(position(file) == 5);
}
