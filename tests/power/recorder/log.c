/* The log: `kind u8 | a u64 | b u64 | c u64 | name (u32 length, bytes) | data (u64 length, bytes)`, in the machine's order. */
#include "recorder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *log_file;

void log_open(const char *path) {
    log_file = fopen(path, "wbe");
    if (log_file == NULL) {
        fail("failed to create the log", path);
    }
    setvbuf(log_file, NULL, _IOFBF, 1 << 20);
}

static void put(const void *bytes, size_t count) {
    if (count > 0 && fwrite(bytes, count, 1, log_file) != 1) {
        fail("failed to write the log", strerror(errno));
    }
}

void log_event(char kind, uint64_t a, uint64_t b, uint64_t c, const char *name, const void *data, size_t bytes) {
    uint64_t numbers[3] = {a, b, c};
    uint32_t name_bytes = name == NULL ? 0 : (uint32_t)strlen(name);
    uint64_t data_bytes = bytes;
    put(&kind, 1);
    put(numbers, sizeof numbers);
    put(&name_bytes, sizeof name_bytes);
    put(name, name_bytes);
    put(&data_bytes, sizeof data_bytes);
    put(data, bytes);
}

void log_close(void) {
    if (log_file != NULL && fclose(log_file) != 0) {
        log_file = NULL;
        fail("failed to write the log", strerror(errno));
    }
    log_file = NULL;
}

/* The recorded program dies with us (PTRACE_O_EXITKILL). */
void fail(const char *what, const char *detail) {
    fprintf(stderr, "recorder: %s: %s\n", what, detail);
    exit(99);
}

void refuse(const char *what) {
    log_event('x', 0, 0, 0, what, NULL, 0);
    log_close();
    fail("the program does what is not recorded", what);
}
