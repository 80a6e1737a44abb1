// fd_read: a buffer behind the first lies outside of memory; nothing is read into the good ones. [ours]
#include "wasi.h"

void test(void) {
    char a[4];
    iovec iovs[] = {{a, 4}, {NOWHERE, 4}};
    u32 n;
    fill(a, 0xAA, 4);
    fd file = opened("text.txt", 0);
    expect(FAULT, fd_read(file, iovs, 2, &n));
    holds(filled(a, 0xAA, 4) && position(file) == 0);
}
