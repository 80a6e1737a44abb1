// poll_oneoff: all subscriptions are read before the first event is written. [ours]
#include "wasi.h"

void test(void) {
    union { subscription in[3]; event out[3]; } both;
    both.in[0] = ready_for(10, FD_WRITE_EVENT, STDOUT);
    both.in[1] = ready_for(20, FD_WRITE_EVENT, STDOUT);
    both.in[2] = ready_for(30, FD_WRITE_EVENT, STDOUT);
    holds(poll(both.in, both.out, 3) == 3);
    holds(both.out[0].userdata + both.out[1].userdata + both.out[2].userdata == 60);
}
