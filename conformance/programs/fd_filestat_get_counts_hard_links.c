// fd_filestat_get: nlink goes up with a link and down with an unlink, to 0. [POSIX: link, unlink]
#include "wasi.h"

void test(void) {
    filestat stat;
    make_file("a", "");
    fd file = opened("a", 0);
    expect(SUCCESS, path_link(ROOT, 0, PATH("a"), ROOT, PATH("b")));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.nlink == 2);
    expect(SUCCESS, path_unlink_file(ROOT, PATH("a")));
    expect(SUCCESS, path_unlink_file(ROOT, PATH("b")));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.nlink == 0);
}
