// fd_read: buffers may overlap; the later one wins. [ours]
#include "wasi.h"

void test(void) {
    char a[6];
    iovec iovs[] = {{a, 4}, {a + 2, 4}};
    u32 n;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_read(file, iovs, 2, &n));
    holds(n == 8 && same(a, "heo, w", 6));
}
