// fd_readdir: names that are there all the time come exactly once, whatever is made meanwhile. [POSIX: readdir]
#include "wasi.h"

void test(void) {
    char buf[sizeof(dirent) + 6], path[] = "d/00", extra[] = "d/new00", seen[20];
    u64 cookie = 0;
    u32 files = 0, made = 0;
    fill(seen, 0, sizeof seen);
    make_directory("d");
    for (u32 i = 0; i < 20; i++) {
        path[2] = '0' + i / 10, path[3] = '0' + i % 10;
        make_file_(HERE, path, "");
    }
    fd directory = opened_directory("d");
    while (made < 100) {
        u32 used = list(directory, buf, sizeof buf, cookie);
        if (used < sizeof(dirent)) break;
        dirent *head = (dirent *)buf;
        char *name = buf + sizeof *head;
        cookie = head->next;
        extra[5] = '0' + made / 10, extra[6] = '0' + made % 10;
        make_file_(HERE, extra, "");
        made++;
        if (head->namlen != 2 || name[0] == '.') continue;
        u32 i = (name[0] - '0') * 10 + name[1] - '0';
        holds(i < 20 && !seen[i]);
        seen[i] = 1;
        files++;
    }
    holds(files == 20);
}
