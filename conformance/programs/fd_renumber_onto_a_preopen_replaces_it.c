// fd_renumber: the preopen's number is the moved directory. [official: overwrite_preopen]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd directory = opened_directory("sub");
    expect(SUCCESS, fd_renumber(directory, ROOT));
    expect(SUCCESS, path_filestat_get(ROOT, 0, PATH("inside.txt"), &stat));
    expect(NOENT, path_filestat_get(ROOT, 0, PATH("text.txt"), &stat));
}
