// _initialize: it runs once, before any other function. [spec: application ABI, reactors]
#define OWN_START
#include "wasi.h"

static u32 initialized;

__attribute__((export_name("_initialize"))) void initialize(void) {
    initialized++;
}

__attribute__((export_name("first"))) void first(void) {
    holds(initialized == 1);
}

__attribute__((export_name("second"))) void second(void) {
    holds(initialized == 1);
}
