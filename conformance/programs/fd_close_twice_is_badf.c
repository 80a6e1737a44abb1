// fd_close: a closed number is no descriptor any more. [POSIX: close]
#include "wasi.h"

void test(void) {
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_close(file));
    expect(BADF, fd_close(file));
}
