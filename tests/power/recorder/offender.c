/* Does what the recorder must refuse: `offender WHAT DIRECTORY`. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

static int file(const char *name) {
    int descriptor = open(name, O_RDWR | O_CREAT, 0600);
    if (write(descriptor, "bytes", 5) != 5) {
        perror("write");
    }
    return descriptor;
}

int main(int count, char **arguments) {
    if (count != 3 || chdir(arguments[2]) != 0) {
        return 1;
    }
    const char *what = arguments[1];
    int one = file("one");
    int two = file("two");
    off_t start = 0;
    if (strcmp(what, "mapping") == 0) {
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, one, 0);
    } else if (strcmp(what, "mapping-later") == 0) {
        mmap(NULL, 4096, PROT_READ, MAP_SHARED, one, 0);
    } else if (strcmp(what, "copy") == 0) {
        copy_file_range(one, &start, two, NULL, 5, 0);
    } else if (strcmp(what, "sendfile") == 0) {
        sendfile(two, one, &start, 5);
    } else if (strcmp(what, "clone") == 0) {
        ioctl(two, FICLONE, one);
    } else if (strcmp(what, "symbolic-link") == 0) {
        if (symlink("one", "three") != 0) {
            perror("symlink");
        }
    } else if (strcmp(what, "nameless") == 0) {
        open(".", O_TMPFILE | O_RDWR, 0600);
    } else if (strcmp(what, "exchange") == 0) {
        renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE);
    } else if (strcmp(what, "rename-out") == 0) {
        rename("one", "../one");
    } else if (strcmp(what, "punch") == 0) {
        fallocate(one, 3 /* FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE */, 0, 4);
    } else if (strcmp(what, "ring") == 0) {
        syscall(SYS_io_uring_setup, 1, NULL);
    } else if (strcmp(what, "private-mapping") == 0) {
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, one, 0); /* nothing of it reaches the file */
    } else {
        return 1;
    }
    return 0;
}
