// path_open: a request for no rights at all opens a file and a directory. [official: truncation_rights, path_open_preopen]
#include "wasi.h"

void test(void) {
    expect(SUCCESS, fd_close(opened_with("text.txt", 0, 0, 0)));
    expect(SUCCESS, fd_close(opened_with(".", DIRECTORY, 0, 0)));
}
