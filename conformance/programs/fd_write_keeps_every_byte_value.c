// fd_write: control bytes, NUL and line ends go out as they are. [POSIX: write]
#include "wasi.h"

void test(void) {
    ciovec iov = {"\0\1\t\n\x7f caf\xc3\xa9", 11};
    u32 n;
    expect(SUCCESS, fd_write(STDOUT, &iov, 1, &n));
    holds(n == 11);
}
