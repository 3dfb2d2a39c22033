/* What goes wrong on purpose. */
#include "recorder.h"

#include <errno.h>

struct faults faults;

static long syncs;
static long changes;
static uint64_t written;

int fault_of_change(void) {
    changes++;
    return faults.read_only_from > 0 && changes >= faults.read_only_from ? EROFS : 0;
}

int fault_of_sync(void) {
    syncs++;
    return syncs == faults.fail_sync ? EIO : 0;
}

/* A full disk takes what fits; a write that does not fit whole is refused whole, which programs see as often. */
int fault_of_write(uint64_t bytes) {
    if (faults.full_from > 0 && written + bytes > (uint64_t)faults.full_from) {
        return ENOSPC;
    }
    written += bytes;
    return fault_of_change();
}
