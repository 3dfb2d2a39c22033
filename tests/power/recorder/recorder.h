/* What the parts of the recorder share. See ../README.md. */
#ifndef RECORDER_H
#define RECORDER_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

/* One call of the recorded program, stopped before the kernel does it. */
struct call {
    pid_t thread;
    struct user_regs_struct registers;
};

/* A name in a directory, as the kernel will resolve it. */
struct place {
    bool is_inside;
    char path[PATH_MAX]; /* whole, without links but perhaps the last part */
    char name[NAME_MAX + 1];
    uint64_t parent; /* inode */
};

/* What an open file of the program is. */
struct open_file {
    bool is_inside;
    bool is_marks;
    uint64_t inode;
    uint64_t size;
    uint64_t position;
    unsigned flags;
};

/* --- faults.c: what goes wrong on purpose; 0 there means never. --- */
struct faults {
    long fail_sync;          /* the n-th sync fails with EIO */
    long long full_from;     /* writes fail with ENOSPC once so many bytes were written */
    long read_only_from;     /* every change fails with EROFS from the n-th on */
};
extern struct faults faults;
int fault_of_sync(void);
int fault_of_change(void);
int fault_of_write(uint64_t bytes);

/* --- log.c --- */
void log_open(const char *path);
void log_event(char kind, uint64_t a, uint64_t b, uint64_t c, const char *name, const void *data, size_t bytes);
void log_close(void);
_Noreturn void fail(const char *what, const char *detail);
_Noreturn void refuse(const char *what);

/* --- places.c --- */
void add_root(const char *path);
void set_marks(const char *path);
bool is_inside(const char *path);
struct place place_at(pid_t thread, int directory, uint64_t path_address, bool follow);
struct open_file open_file(pid_t thread, int descriptor);
void read_memory(pid_t thread, uint64_t address, void *into, size_t bytes);

/* --- trace.c --- */
long let_it_happen(struct call *call);
void let_it_fail(struct call *call, int error);

/* --- calls.c: true when the call was let happen or failed here. --- */
bool record(struct call *call);

#endif
