// fd_read: the result's pointer is looked at before anything is read. [ours]
#include "wasi.h"

void test(void) {
    char a[4];
    iovec iov = {a, 4};
    fd file = opened("text.txt", 0);
    expect(FAULT, fd_read(file, &iov, 1, NOWHERE));
    holds(position(file) == 0);
}
