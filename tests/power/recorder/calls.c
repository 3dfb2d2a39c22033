/* The calls that change files, one function each: looked at before the kernel does them, written down after. */
#define _GNU_SOURCE
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define argument_1 ((*call).registers.rdi)
#define argument_2 ((*call).registers.rsi)
#define argument_3 ((*call).registers.rdx)
#define argument_4 ((*call).registers.r10)
#define argument_5 ((*call).registers.r8)
#define argument_6 ((*call).registers.r9)

#define POSITION UINT64_MAX

static bool failed(struct call *call, int error) {
    if (error != 0) {
        let_it_fail(call, error);
    }
    return error != 0;
}

/* --- Contents --- */

static void log_sync(const struct open_file *file, bool is_data_only) {
    log_event('s', file->inode, is_data_only, 0, NULL, NULL, 0);
}

static void log_written(struct call *call, int descriptor, struct iovec *parts, size_t count, uint64_t offset,
                        uint64_t written, bool is_appending) {
    struct open_file file = open_file(call->thread, descriptor);
    char *data = malloc(written + 1);
    uint64_t done = 0;
    for (size_t index = 0; index < count && done < written; index++) {
        uint64_t part = parts[index].iov_len < written - done ? parts[index].iov_len : written - done;
        read_memory(call->thread, (uintptr_t)parts[index].iov_base, data + done, part);
        done += part;
    }
    /* Linux appends also where an offset is given. */
    if (is_appending) {
        offset = file.size - written;
    } else if (offset == POSITION) {
        offset = file.position - written;
    }
    log_event('w', file.inode, offset, 0, NULL, data, written);
    free(data);
}

static bool write_parts(struct call *call, struct iovec *parts, size_t count, uint64_t offset, int flags) {
    int descriptor = (int)argument_1;
    struct open_file file = open_file(call->thread, descriptor);
    uint64_t bytes = 0;
    for (size_t index = 0; index < count; index++) {
        bytes += parts[index].iov_len;
    }
    if (file.is_marks) {
        char *data = malloc(bytes + 1);
        read_memory(call->thread, (uintptr_t)parts[0].iov_base, data, count == 1 ? bytes : 0);
        log_event('m', 0, 0, 0, NULL, data, count == 1 ? bytes : 0);
        free(data);
    }
    if (!file.is_inside) {
        return false;
    }
    if ((flags & ~(RWF_DSYNC | RWF_SYNC | RWF_APPEND | RWF_HIPRI)) != 0) {
        refuse("a write with flags");
    }
    if (failed(call, fault_of_write(bytes))) {
        return true;
    }
    long written = let_it_happen(call);
    if (written > 0) {
        bool is_appending = (file.flags & O_APPEND) != 0 || (flags & RWF_APPEND) != 0;
        log_written(call, descriptor, parts, count, offset, (uint64_t)written, is_appending);
        if ((file.flags & O_DSYNC) != 0 || (flags & (RWF_DSYNC | RWF_SYNC)) != 0) {
            log_sync(&file, true);
        }
    }
    return true;
}

static bool on_write(struct call *call, uint64_t offset) {
    struct iovec part = {(void *)(uintptr_t)argument_2, argument_3};
    return write_parts(call, &part, 1, offset, 0);
}

static bool on_writev(struct call *call, uint64_t offset, int flags) {
    struct iovec parts[1024];
    size_t count = argument_3 < 1024 ? argument_3 : 1024;
    read_memory(call->thread, argument_2, parts, count * sizeof *parts);
    return write_parts(call, parts, count, offset, flags);
}

static bool on_sync(struct call *call, bool is_data_only) {
    struct open_file file = open_file(call->thread, (int)argument_1);
    if (!file.is_inside) {
        return false;
    }
    int error = fault_of_sync();
    bool has_failed = error != 0;
    if (has_failed) {
        let_it_fail(call, error);
    } else {
        has_failed = let_it_happen(call) != 0;
    }
    if (has_failed) {
        log_event('f', file.inode, 0, 0, NULL, NULL, 0);
    } else {
        log_sync(&file, is_data_only);
    }
    return true;
}

static bool on_sync_all(struct call *call) {
    if (let_it_happen(call) == 0) {
        log_event('S', 0, 0, 0, NULL, NULL, 0);
    }
    return true;
}

static bool resize(struct call *call, uint64_t inode, uint64_t size) {
    if (!failed(call, fault_of_change()) && let_it_happen(call) == 0) {
        log_event('t', inode, size, 0, NULL, NULL, 0);
    }
    return true;
}

static bool on_ftruncate(struct call *call) {
    struct open_file file = open_file(call->thread, (int)argument_1);
    return file.is_inside && resize(call, file.inode, argument_2);
}

static bool on_truncate(struct call *call) {
    struct place place = place_at(call->thread, AT_FDCWD, argument_1, true);
    struct stat status;
    return place.is_inside && stat(place.path, &status) == 0 && resize(call, status.st_ino, argument_2);
}

static bool on_fallocate(struct call *call) {
    struct open_file file = open_file(call->thread, (int)argument_1);
    int mode = (int)argument_2;
    uint64_t end = argument_3 + argument_4;
    if (!file.is_inside) {
        return false;
    }
    if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0) {
        refuse("fallocate that does more than make room");
    }
    /* Room that is made holds zeros; only the size is seen. */
    if (mode == 0 && end > file.size) {
        return resize(call, file.inode, end);
    }
    return failed(call, fault_of_change());
}

/* --- Names --- */

static bool on_open(struct call *call, int directory, uint64_t path, uint64_t flags) {
    if ((flags & (O_CREAT | O_TRUNC)) == 0 && (flags & O_TMPFILE) != O_TMPFILE) {
        return false;
    }
    struct place place = place_at(call->thread, directory, path, (flags & (O_NOFOLLOW | O_EXCL)) == 0);
    if (!place.is_inside) {
        return false;
    }
    if ((flags & O_TMPFILE) == O_TMPFILE) {
        refuse("a file without a name");
    }
    struct stat before;
    struct stat after;
    bool was_there = lstat(place.path, &before) == 0;
    bool is_change = !was_there || ((flags & O_TRUNC) != 0 && before.st_size > 0);
    if (is_change && failed(call, fault_of_change())) {
        return true;
    }
    if (let_it_happen(call) < 0 || stat(place.path, &after) != 0) {
        return true;
    }
    if (!was_there) {
        log_event('c', place.parent, after.st_ino, after.st_mode & 07777, place.name, NULL, 0);
    } else if ((flags & O_TRUNC) != 0 && S_ISREG(after.st_mode)) {
        log_event('t', after.st_ino, 0, 0, NULL, NULL, 0);
    }
    return true;
}

static bool on_openat2(struct call *call) {
    struct open_how how = {0};
    read_memory(call->thread, argument_3, &how, sizeof how);
    return on_open(call, (int)argument_1, argument_2, how.flags);
}

static bool on_mkdir(struct call *call, int directory, uint64_t path) {
    struct place place = place_at(call->thread, directory, path, false);
    struct stat status;
    if (!place.is_inside) {
        return false;
    }
    if (!failed(call, fault_of_change()) && let_it_happen(call) == 0 && stat(place.path, &status) == 0) {
        log_event('d', place.parent, status.st_ino, status.st_mode & 07777, place.name, NULL, 0);
    }
    return true;
}

static bool on_unlink(struct call *call, int directory, uint64_t path) {
    struct place place = place_at(call->thread, directory, path, false);
    if (!place.is_inside) {
        return false;
    }
    if (!failed(call, fault_of_change()) && let_it_happen(call) == 0) {
        log_event('u', place.parent, 0, 0, place.name, NULL, 0);
    }
    return true;
}

static bool on_rename(struct call *call, int old_directory, uint64_t old_path, int new_directory, uint64_t new_path,
                      unsigned flags) {
    struct place old = place_at(call->thread, old_directory, old_path, false);
    struct place new = place_at(call->thread, new_directory, new_path, false);
    if (!old.is_inside && !new.is_inside) {
        return false;
    }
    if (old.is_inside != new.is_inside || (flags & ~RENAME_NOREPLACE) != 0) {
        refuse("a rename into or out of the directory, or one that exchanges");
    }
    if (!failed(call, fault_of_change()) && let_it_happen(call) == 0) {
        log_event('r', old.parent, new.parent, 0, old.name, new.name, strlen(new.name));
    }
    return true;
}

static bool on_link(struct call *call, int old_directory, uint64_t old_path, int new_directory, uint64_t new_path) {
    struct place old = place_at(call->thread, old_directory, old_path, false);
    struct place new = place_at(call->thread, new_directory, new_path, false);
    struct stat status;
    if (!new.is_inside) {
        return false;
    }
    if (!old.is_inside) {
        refuse("a link to a file outside of the directory");
    }
    if (!failed(call, fault_of_change()) && let_it_happen(call) == 0 && lstat(new.path, &status) == 0) {
        log_event('l', new.parent, status.st_ino, 0, new.name, NULL, 0);
    }
    return true;
}

static bool refuse_inside(struct call *call, int descriptor, const char *what) {
    if (open_file(call->thread, descriptor).is_inside) {
        refuse(what);
    }
    return false;
}

static bool refuse_place(struct call *call, int directory, uint64_t path, const char *what) {
    if (place_at(call->thread, directory, path, false).is_inside) {
        refuse(what);
    }
    return false;
}

/* A mapping may be made writable later if its file is open for writing, so that alone is refused. */
static bool on_mmap(struct call *call) {
    struct open_file file = open_file(call->thread, (int)argument_5);
    if (file.is_inside && (file.flags & O_ACCMODE) != O_RDONLY) {
        refuse("a shared mapping of a file that is open for writing: what is written through it is not seen");
    }
    return false;
}

static bool record_name_call(struct call *call) {
    switch (call->registers.orig_rax) {
    case SYS_open: return on_open(call, AT_FDCWD, argument_1, argument_2);
    case SYS_creat: return on_open(call, AT_FDCWD, argument_1, O_CREAT | O_TRUNC | O_WRONLY);
    case SYS_openat: return on_open(call, (int)argument_1, argument_2, argument_3);
    case SYS_openat2: return on_openat2(call);
    case SYS_mkdir: return on_mkdir(call, AT_FDCWD, argument_1);
    case SYS_mkdirat: return on_mkdir(call, (int)argument_1, argument_2);
    case SYS_unlink: case SYS_rmdir: return on_unlink(call, AT_FDCWD, argument_1);
    case SYS_unlinkat: return on_unlink(call, (int)argument_1, argument_2);
    case SYS_rename: return on_rename(call, AT_FDCWD, argument_1, AT_FDCWD, argument_2, 0);
    case SYS_renameat:
        return on_rename(call, (int)argument_1, argument_2, (int)argument_3, argument_4, 0);
    case SYS_renameat2:
        return on_rename(call, (int)argument_1, argument_2, (int)argument_3, argument_4, (unsigned)argument_5);
    case SYS_link: return on_link(call, AT_FDCWD, argument_1, AT_FDCWD, argument_2);
    case SYS_linkat: return on_link(call, (int)argument_1, argument_2, (int)argument_3, argument_4);
    case SYS_symlink: return refuse_place(call, AT_FDCWD, argument_2, "a symbolic link");
    case SYS_symlinkat: return refuse_place(call, (int)argument_2, argument_3, "a symbolic link");
    default: return false;
    }
}

bool record(struct call *call) {
    switch (call->registers.orig_rax) {
    case SYS_write: return on_write(call, POSITION);
    case SYS_pwrite64: return on_write(call, argument_4);
    case SYS_writev: return on_writev(call, POSITION, 0);
    case SYS_pwritev: return on_writev(call, argument_4, 0);
    /* An offset of -1 is the position, as here. */
    case SYS_pwritev2: return on_writev(call, argument_4, (int)argument_6);
    case SYS_fsync: return on_sync(call, false);
    case SYS_fdatasync: return on_sync(call, true);
    case SYS_sync: case SYS_syncfs: return on_sync_all(call);
    case SYS_ftruncate: return on_ftruncate(call);
    case SYS_truncate: return on_truncate(call);
    case SYS_fallocate: return on_fallocate(call);
    case SYS_mmap: return on_mmap(call);
    case SYS_copy_file_range: return refuse_inside(call, (int)argument_3, "copy_file_range");
    case SYS_sendfile: return refuse_inside(call, (int)argument_1, "sendfile");
    case SYS_splice: return refuse_inside(call, (int)argument_3, "splice");
    case SYS_ioctl: return refuse_inside(call, (int)argument_1, "a clone of a file");
    case SYS_io_uring_setup: refuse("io_uring");
    case SYS_io_submit: refuse("io_submit");
    default: return record_name_call(call);
    }
}
