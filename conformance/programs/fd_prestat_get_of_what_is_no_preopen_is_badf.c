// fd_prestat_get: a number beyond the preopens, and what the program opened itself. [spec: fd_prestat_get]
#include "wasi.h"

void test(void) {
    prestat stat;
    expect(BADF, fd_prestat_get(ROOT + 1, &stat));
    fd directory = opened_directory("sub");
    holds(fd_prestat_get(directory, &stat) != SUCCESS);
}
