// fd_readdir: files, directories and links by their own kind. [official: fd_readdir]
#include "wasi.h"

void test(void) {
    char buf[512];
    make_directory("d");
    make_file("d/file", "");
    make_directory("d/directory");
    make_symlink("file", "d/link");
    u32 used = list(opened_directory("d"), buf, sizeof buf, 0);
    holds(entry(buf, used, "file")->type == REGULAR_FILE);
    holds(entry(buf, used, "directory")->type == DIRECTORY_TYPE);
    holds(entry(buf, used, "link")->type == SYMBOLIC_LINK);
}
