// fd_readdir: cookie 0 lists the directory as it is then. [POSIX: rewinddir]
#include "wasi.h"

void test(void) {
    char buf[512];
    make_directory("d");
    fd directory = opened_directory("d");
    u32 used = list(directory, buf, sizeof buf, 0);
    holds(!entry(buf, used, "new"));
    make_file("d/new", "");
    used = list(directory, buf, sizeof buf, 0);
    holds(entry(buf, used, "new"));
    expect(SUCCESS, path_unlink_file(ROOT, PATH("d/new")));
    used = list(directory, buf, sizeof buf, 0);
    holds(!entry(buf, used, "new"));
}
