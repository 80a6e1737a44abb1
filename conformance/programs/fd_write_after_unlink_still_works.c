// fd_write, fd_read: a file without a name lives as long as a descriptor. [POSIX: unlink]
#include "wasi.h"

void test(void) {
    char buf[4];
    u64 at;
    make_file("gone", "");
    fd file = opened("gone", 0);
    expect(SUCCESS, path_unlink_file(ROOT, PATH("gone")));
    write_text(file, "abc");
    expect(SUCCESS, fd_seek(file, 0, SET, &at));
    holds(read_up_to(file, buf, 4) == 3 && same(buf, "abc", 3));
}
