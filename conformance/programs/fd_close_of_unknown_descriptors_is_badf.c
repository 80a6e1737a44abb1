// fd_close: numbers that never were descriptors. [POSIX: close]
#include "wasi.h"

void test(void) {
    expect(BADF, fd_close(1000));
    expect(BADF, fd_close(0x7fffffff));
    expect(BADF, fd_close(0xffffffff));
}
