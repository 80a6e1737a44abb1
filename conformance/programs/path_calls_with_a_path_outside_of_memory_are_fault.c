// path_open, path_filestat_get, path_create_directory, path_unlink_file, path_rename, path_symlink: the path lies outside of memory, wholly or in part. [spec: errno fault]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file;
    char *across = MEMORY_END - 8;
    __builtin_memcpy(across, "text.txt", 8);
    expect(FAULT, path_open(ROOT, 0, across, 9, 0, FD_READ, 0, 0, &file));
    expect(FAULT, path_open(ROOT, 0, across, 0xffffffff, 0, FD_READ, 0, 0, &file));
    expect(FAULT, path_filestat_get(ROOT, 0, NOWHERE, 1, &stat));
    expect(FAULT, path_create_directory(ROOT, NOWHERE, 1));
    expect(FAULT, path_unlink_file(ROOT, across, 9));
    expect(FAULT, path_rename(ROOT, PATH("text.txt"), ROOT, NOWHERE, 1));
    expect(FAULT, path_symlink(NOWHERE, 1, ROOT, PATH("link")));
    expect_content("text.txt", "hello, world\n");
}
