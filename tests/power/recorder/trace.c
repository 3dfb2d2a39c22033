/* Runs a program and stops each of its calls that may change a file, one at a time: while the kernel does one, every other
 * waits, so the log has one order and it is the order in which things happened.
 *
 * This is ptrace with a seccomp filter and not a preloaded library, because part of the host calls the kernel without the C
 * library (rustix), which a preloaded library never sees; and it is C because ptrace is beyond what safe Rust can say and
 * this repository forbids `unsafe` outside of one crate.
 */
#define _GNU_SOURCE
#include "recorder.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the recorder knows the registers of x86-64 only: add those of this machine to trace.c and calls.c"
#endif

#define THREADS_MAX (1 << 22)

static pid_t program;
static int program_status = -1;
/* A thread's first stop is our own doing; its number may be used again later. */
static unsigned char is_known[THREADS_MAX / 8];

static bool set_known(pid_t thread, bool known) {
    unsigned char bit = (unsigned char)(1 << (thread % 8));
    bool was_known = (is_known[thread / 8] & bit) != 0;
    is_known[thread / 8] = (unsigned char)(known ? is_known[thread / 8] | bit : is_known[thread / 8] & ~bit);
    return was_known;
}

static const int STOPPED_CALLS[] = {
    SYS_write, SYS_pwrite64, SYS_writev, SYS_pwritev, SYS_pwritev2, SYS_fsync, SYS_fdatasync, SYS_sync, SYS_syncfs,
    SYS_ftruncate, SYS_truncate, SYS_fallocate, SYS_copy_file_range, SYS_sendfile, SYS_splice, SYS_io_uring_setup,
    SYS_io_submit, SYS_open, SYS_creat, SYS_openat, SYS_openat2, SYS_mkdir, SYS_mkdirat, SYS_unlink, SYS_rmdir,
    SYS_unlinkat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat,
};
#define CALL_COUNT (sizeof STOPPED_CALLS / sizeof *STOPPED_CALLS)

static struct sock_filter load(size_t offset) {
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

static struct sock_filter skip_unless(uint32_t value, uint8_t skipped) {
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

static struct sock_filter answer(uint32_t value) {
    return (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value);
}

static struct sock_filter mask(uint32_t value) {
    return (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, value);
}

/* Of the very many mmaps and ioctls only those that matter are stopped. */
static void install_filter(void) {
    struct sock_filter filter[2 * CALL_COUNT + 32];
    size_t count = 0;
    filter[count++] = load(offsetof(struct seccomp_data, arch));
    filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    filter[count++] = answer(SECCOMP_RET_KILL_PROCESS);
    filter[count++] = load(offsetof(struct seccomp_data, nr));
    for (size_t index = 0; index < CALL_COUNT; index++) {
        filter[count++] = skip_unless((uint32_t)STOPPED_CALLS[index], 1);
        filter[count++] = answer(SECCOMP_RET_TRACE);
    }
    filter[count++] = skip_unless(SYS_mmap, 4);
    filter[count++] = load(offsetof(struct seccomp_data, args[3]));
    filter[count++] = mask(MAP_SHARED | MAP_ANONYMOUS);
    filter[count++] = skip_unless(MAP_SHARED, 1);
    filter[count++] = answer(SECCOMP_RET_TRACE);
    filter[count++] = load(offsetof(struct seccomp_data, nr));
    filter[count++] = skip_unless(SYS_ioctl, 5);
    filter[count++] = load(offsetof(struct seccomp_data, args[1]));
    filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FICLONE, 2, 0);
    filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)FICLONERANGE, 1, 0);
    filter[count++] = answer(SECCOMP_RET_ALLOW);
    filter[count++] = answer(SECCOMP_RET_TRACE);
    filter[count++] = answer(SECCOMP_RET_ALLOW);
    struct sock_fprog prepared = {(unsigned short)count, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prepared) != 0) {
        fail("failed to watch calls", strerror(errno));
    }
}

static void start(char **command) {
    program = fork();
    if (program == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) {
            fail("failed to be traced", strerror(errno));
        }
        raise(SIGSTOP);
        install_filter();
        execvp(command[0], command);
        _exit(98);
    }
    int status;
    if (program < 0 || waitpid(program, &status, __WALL) != program || !WIFSTOPPED(status)) {
        fail("failed to start the program", strerror(errno));
    }
    set_known(program, true);
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SETOPTIONS, program, 0, options) != 0 || ptrace(PTRACE_CONT, program, 0, 0) != 0) {
        fail("failed to trace the program", strerror(errno));
    }
}

static void has_ended(pid_t thread, int status) {
    set_known(thread, false);
    if (thread == program) {
        program_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

/* A thread can be killed in the middle of a call (its process ends); what it did then is as unknown as in a power cut, and
 * nothing comes after it that could depend on it: what it writes down is that it failed. */
static long finish(struct call *call, int error) {
    int status;
    if (ptrace(PTRACE_SYSCALL, call->thread, 0, 0) != 0) {
        return -EINTR;
    }
    if (waitpid(call->thread, &status, __WALL) != call->thread || WIFEXITED(status) || WIFSIGNALED(status)) {
        has_ended(call->thread, status);
        return -EINTR;
    }
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != (SIGTRAP | 0x80)) {
        fail("a call did not end as expected", strerror(errno));
    }
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, call->thread, 0, &registers);
    if (error != 0) {
        registers.rax = (unsigned long long)-error;
        ptrace(PTRACE_SETREGS, call->thread, 0, &registers);
    }
    return (long)registers.rax;
}

long let_it_happen(struct call *call) {
    return finish(call, 0);
}

void let_it_fail(struct call *call, int error) {
    struct user_regs_struct registers = call->registers;
    registers.orig_rax = (unsigned long long)-1;
    ptrace(PTRACE_SETREGS, call->thread, 0, &registers);
    finish(call, error);
}

static void on_stop(pid_t thread, int status) {
    int signal = WSTOPSIG(status);
    int event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP) {
        struct call call = {.thread = thread};
        if (ptrace(PTRACE_GETREGS, thread, 0, &call.registers) == 0) {
            record(&call);
        }
        signal = 0;
    } else if (event != 0 || signal == (SIGTRAP | 0x80)) {
        signal = 0;
    } else if (!set_known(thread, true) && signal == SIGSTOP) {
        signal = 0;
    }
    /* It may be gone meanwhile, which the next wait tells. */
    ptrace(PTRACE_CONT, thread, 0, signal);
}

static int option(char **arguments, int index) {
    const char *name = arguments[index];
    const char *value = arguments[index + 1];
    if (value == NULL) {
        fail("an option without its value", name);
    } else if (strcmp(name, "--log") == 0) {
        log_open(value);
    } else if (strcmp(name, "--marks") == 0) {
        set_marks(value);
    } else if (strcmp(name, "--root") == 0) {
        add_root(value);
    } else if (strcmp(name, "--fail-sync") == 0) {
        faults.fail_sync = atol(value);
    } else if (strcmp(name, "--full-from") == 0) {
        faults.full_from = atoll(value);
    } else if (strcmp(name, "--read-only-from") == 0) {
        faults.read_only_from = atol(value);
    } else {
        fail("an unknown option", name);
    }
    return index + 2;
}

int main(int count, char **arguments) {
    int index = 1;
    while (index < count && strcmp(arguments[index], "--") != 0) {
        index = option(arguments, index);
    }
    if (index + 1 >= count) {
        fail("no program", "recorder --log FILE --marks FILE --root DIR... -- PROGRAM");
    }
    start(arguments + index + 1);
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0) {
            break; /* nobody is left */
        }
        if (WIFSTOPPED(status)) {
            on_stop(thread, status);
        } else {
            has_ended(thread, status);
        }
    }
    log_close();
    return program_status;
}
