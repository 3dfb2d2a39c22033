/* Which file the program means. Nothing is remembered from call to call: the kernel knows better (dup, fork, rename). */
#define _GNU_SOURCE
#include "recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define ROOTS_MAX 8

static char roots[ROOTS_MAX][PATH_MAX];
static int root_count;
static dev_t device;
static char marks[PATH_MAX];

void add_root(const char *path) {
    struct stat status;
    if (root_count == ROOTS_MAX || realpath(path, roots[root_count]) == NULL || stat(path, &status) != 0) {
        fail("no directory to record", path);
    }
    /* Inodes are told apart by their number alone. */
    if (root_count > 0 && status.st_dev != device) {
        fail("the directories lie on several file systems", path);
    }
    device = status.st_dev;
    log_event('R', 0, status.st_ino, 0, roots[root_count], NULL, 0);
    root_count++;
}

void set_marks(const char *path) {
    if (realpath(path, marks) == NULL) {
        fail("no file for marks", path);
    }
}

bool is_inside(const char *path) {
    for (int index = 0; index < root_count; index++) {
        size_t length = strlen(roots[index]);
        if (strncmp(path, roots[index], length) == 0 && (path[length] == '/' || path[length] == 0)) {
            return true;
        }
    }
    return false;
}

void read_memory(pid_t thread, uint64_t address, void *into, size_t bytes) {
    struct iovec here = {into, bytes};
    struct iovec there = {(void *)(uintptr_t)address, bytes};
    if (bytes > 0 && process_vm_readv(thread, &here, 1, &there, 1, 0) != (ssize_t)bytes) {
        fail("failed to read the program's memory", strerror(errno));
    }
}

/* A text may end right before memory that is not there, so it is read in pieces that cross no page. */
static bool read_text(pid_t thread, uint64_t address, char *into, size_t most) {
    size_t done = 0;
    while (done < most) {
        size_t piece = 256 - (address + done) % 256;
        piece = piece < most - done ? piece : most - done;
        struct iovec here = {into + done, piece};
        struct iovec there = {(void *)(uintptr_t)(address + done), piece};
        if (process_vm_readv(thread, &here, 1, &there, 1, 0) != (ssize_t)piece) {
            return false;
        }
        if (memchr(into + done, 0, piece) != NULL) {
            return true;
        }
        done += piece;
    }
    return false;
}

static bool read_link(char *into, const char *format, pid_t thread, int descriptor) {
    char link[64];
    snprintf(link, sizeof link, format, thread, descriptor);
    ssize_t length = readlink(link, into, PATH_MAX - 1);
    into[length < 0 ? 0 : length] = 0;
    return length >= 0;
}

/* `followed` ends what would otherwise be a circle of links. */
static struct place place_of(char *whole, bool follow, int followed) {
    struct place place = {0};
    size_t length = strlen(whole);
    while (length > 1 && whole[length - 1] == '/') {
        whole[--length] = 0;
    }
    char *slash = strrchr(whole, '/');
    if (slash == NULL || strlen(slash + 1) > NAME_MAX) {
        return place;
    }
    strcpy(place.name, slash + 1);
    *slash = 0;
    char parent[PATH_MAX];
    struct stat status;
    if (realpath(*whole == 0 ? "/" : whole, parent) == NULL || stat(parent, &status) != 0) {
        return place;
    }
    place.parent = status.st_ino;
    place.is_inside = is_inside(parent);
    if (snprintf(place.path, PATH_MAX, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent, place.name) >= PATH_MAX) {
        fail("a path is too long", parent);
    }
    if (!follow || lstat(place.path, &status) != 0 || !S_ISLNK(status.st_mode) || followed > 8) {
        return place;
    }
    char target[PATH_MAX] = {0};
    char next[2 * PATH_MAX];
    if (readlink(place.path, target, PATH_MAX - 1) < 0) {
        return place;
    }
    snprintf(next, sizeof next, "%s%s%s", *target == '/' ? "" : parent, *target == '/' ? "" : "/", target);
    return strlen(next) >= PATH_MAX ? place : place_of(next, true, followed + 1);
}

struct place place_at(pid_t thread, int directory, uint64_t path_address, bool follow) {
    struct place nowhere = {0};
    char path[PATH_MAX];
    char base[PATH_MAX] = "";
    char whole[2 * PATH_MAX + 1];
    if (!read_text(thread, path_address, path, sizeof path) || *path == 0) {
        return nowhere;
    }
    if (*path != '/') {
        const char *format = directory == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d";
        if (!read_link(base, format, thread, directory)) {
            return nowhere;
        }
    }
    snprintf(whole, sizeof whole, "%s/%s", base, path);
    return strlen(whole) >= PATH_MAX ? nowhere : place_of(whole, follow, 0);
}

static void read_fdinfo(pid_t thread, int descriptor, struct open_file *file) {
    char path[64];
    char line[128];
    snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", thread, descriptor);
    FILE *info = fopen(path, "re");
    if (info == NULL) {
        fail("failed to read", path);
    }
    while (fgets(line, sizeof line, info) != NULL) {
        unsigned long long number = 0;
        if (sscanf(line, "pos: %llu", &number) == 1) {
            file->position = number;
        }
        if (sscanf(line, "flags: %llo", &number) == 1) {
            file->flags = (unsigned)number;
        }
    }
    fclose(info);
}

struct open_file open_file(pid_t thread, int descriptor) {
    struct open_file file = {0};
    char path[PATH_MAX];
    if (!read_link(path, "/proc/%d/fd/%d", thread, descriptor)) {
        return file;
    }
    file.is_marks = strcmp(path, marks) == 0;
    /* The name of a removed file still begins with its directory. */
    file.is_inside = is_inside(path);
    if (file.is_inside) {
        char link[64];
        struct stat status;
        snprintf(link, sizeof link, "/proc/%d/fd/%d", thread, descriptor);
        if (stat(link, &status) != 0) {
            fail("failed to inspect", path);
        }
        file.inode = status.st_ino;
        file.size = (uint64_t)status.st_size;
        read_fdinfo(thread, descriptor, &file);
    }
    return file;
}
