// fd_write: the result's pointer is looked at before anything is written. [ours]
#include "wasi.h"

void test(void) {
    ciovec iov = {"x", 1};
    fd file = opened("text.txt", 0);
    expect(FAULT, fd_write(file, &iov, 1, NOWHERE));
    expect_content("text.txt", "hello, world\n");
}
