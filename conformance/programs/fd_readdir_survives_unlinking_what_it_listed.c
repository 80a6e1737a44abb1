// fd_readdir: removing each name as it comes leaves no other out; so rm -r works. [POSIX: readdir]
#include "wasi.h"

void test(void) {
    char buf[sizeof(dirent) + 6], path[] = "d/00";
    u64 cookie = 0;
    u32 removed = 0;
    make_directory("d");
    for (u32 i = 0; i < 50; i++) {
        path[2] = '0' + i / 10, path[3] = '0' + i % 10;
        make_file_(HERE, path, "");
    }
    fd directory = opened_directory("d");
    for (;;) {
        u32 used = list(directory, buf, sizeof buf, cookie);
        if (used < sizeof(dirent)) break;
        dirent *head = (dirent *)buf;
        cookie = head->next;
        if (buf[sizeof *head] == '.') continue;
        expect(SUCCESS, path_unlink_file(directory, buf + sizeof *head, head->namlen));
        removed++;
    }
    holds(removed == 50);
    expect(SUCCESS, path_remove_directory(ROOT, PATH("d")));
}
