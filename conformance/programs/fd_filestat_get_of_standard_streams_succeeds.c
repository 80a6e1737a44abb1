// fd_filestat_get: standard streams have attributes and are no directories. [spec: fd_filestat_get]
#include "wasi.h"

void test(void) {
    filestat stat;
    for (fd stream = STDIN; stream <= STDERR; stream++) {
        expect(SUCCESS, fd_filestat_get(stream, &stat));
        holds(stat.filetype != DIRECTORY_TYPE);
    }
}
