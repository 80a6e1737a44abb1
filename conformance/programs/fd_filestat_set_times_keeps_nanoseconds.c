// fd_filestat_set_times: both times come back as they were set, to the nanosecond. [official: fd_filestat_set]
#include "wasi.h"

void test(void) {
    filestat stat;
    fd file = opened("text.txt", 0);
    expect(SUCCESS, fd_filestat_set_times(file, 1000000000123456789, 1234567890987654321,
                                          ATIM | MTIM));
    expect(SUCCESS, fd_filestat_get(file, &stat));
    holds(stat.atim == 1000000000123456789 && stat.mtim == 1234567890987654321);
}
