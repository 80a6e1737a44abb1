// path_open: NONBLOCK changes nothing about opening either. [official: path_open_nonblock]
#include "wasi.h"

void test(void) {
    char buf[5];
    fd file = opened_with("text.txt", 0, FILE_RIGHTS, NONBLOCK);
    holds(read_up_to(file, buf, 5) == 5);
    opened_with("sub", DIRECTORY, DIRECTORY_RIGHTS, NONBLOCK);
}
