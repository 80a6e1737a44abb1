// fd_tell: the position after reading, writing and seeking. [POSIX: lseek]
#include "wasi.h"

void test(void) {
    char buf[4];
    u64 at;
    fd file = opened("text.txt", 0);
    holds(position(file) == 0);
    read_up_to(file, buf, 4);
    holds(position(file) == 4);
    write_text(file, "xyz");
    holds(position(file) == 7);
    expect(SUCCESS, fd_seek(file, 100, SET, &at));
    holds(position(file) == 100);
}
