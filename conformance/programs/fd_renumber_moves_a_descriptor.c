// fd_renumber: the target is the moved descriptor with its position; the source is closed. [official: renumber]
#include "wasi.h"

void test(void) {
    char buf[4];
    fd from = opened("text.txt", 0), to = opened("sub/inside.txt", 0);
    holds(read_up_to(from, buf, 2) == 2);
    expect(SUCCESS, fd_renumber(from, to));
    holds(read_up_to(to, buf, 3) == 3 && same(buf, "llo", 3));
    expect(BADF, fd_close(from));
}
