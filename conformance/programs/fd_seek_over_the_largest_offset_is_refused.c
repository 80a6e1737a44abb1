// fd_seek: a result over 2^63-1 is no offset; the position stays. [POSIX: lseek, OVERFLOW or INVAL]
#include "wasi.h"

void test(void) {
    u64 at;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_seek(file, 1, SET, &at));
    expect_either(INVAL, OVERFLOW, fd_seek(file, 0x7fffffffffffffff, CUR, &at));
    holds(position(file) == 1);
}
