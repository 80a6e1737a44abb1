// fd_readdir: a buffer for one name at a time lists 100 files, each once. [POSIX: readdir]
#include "wasi.h"

void test(void) {
    char buf[sizeof(dirent) + 6], path[] = "d/00", seen[100];
    u64 cookie = 0;
    u32 files = 0;
    fill(seen, 0, sizeof seen);
    make_directory("d");
    for (u32 i = 0; i < 100; i++) {
        path[2] = '0' + i / 10, path[3] = '0' + i % 10;
        make_file_(HERE, path, "");
    }
    fd directory = opened_directory("d");
    for (;;) {
        u32 used = list(directory, buf, sizeof buf, cookie);
        if (used < sizeof(dirent)) break;
        dirent *head = (dirent *)buf;
        char *name = buf + sizeof *head;
        holds(used >= sizeof *head + head->namlen);
        cookie = head->next;
        if (name[0] == '.') continue;
        u32 i = (name[0] - '0') * 10 + name[1] - '0';
        holds(head->namlen == 2 && i < 100 && !seen[i]);
        seen[i] = 1;
        files++;
    }
    holds(files == 100);
}
