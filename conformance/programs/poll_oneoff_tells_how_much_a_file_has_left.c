// poll_oneoff: a file is ready at once, and nbytes is what is left to read. [spec: event_fd_readwrite]
#include "wasi.h"

void test(void) {
    char buf[5];
    fd file = opened("text.txt", 0);
    read_up_to(file, buf, 5);
    subscription in = ready_for(1, FD_READ_EVENT, file);
    event out;
    holds(poll(&in, &out, 1) == 1 && out.type == FD_READ_EVENT && out.error == SUCCESS);
    holds(out.nbytes == 8);
}
