// _initialize: a module may have neither it nor _start. [spec: application ABI, reactors]
#define OWN_START
#include "wasi.h"

__attribute__((export_name("call"))) void call(void) {
    write_text(STDOUT, "called\n");
}
