/* Preloaded into a process under test: what it writes under one folder fails, tears or kills it.
 *
 * CHAOS_FOLDER names the folder, CHAOS_PLAN a file that this process maps and the campaign
 * writes. Interposed is what SQLite and Python make files durable with; what the process does to
 * other files and to sockets is left alone, and so are its children.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* As `_PLAN` of preload.py has it. */
struct plan {
    volatile int64_t pid;    /* the process that is meant */
    volatile int64_t calls;  /* made so far */
    volatile int64_t fatal;  /* SIGKILL at this call; 0: at none */
    volatile int64_t torn;   /* whether half of it is written before */
    volatile int64_t error;  /* what every call fails with; 0: none fails */
};

static struct plan *plan;
static const char *folder;

__attribute__((constructor)) static void begin(void) {
    const char *file = getenv("CHAOS_PLAN");
    folder = getenv("CHAOS_FOLDER");
    int fd = file && folder ? open(file, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *place = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    plan = place == MAP_FAILED ? NULL : place;
    close(fd);
}

static int is_meant(int fd) {
    char name[64], path[PATH_MAX];
    if (!plan || plan->pid != getpid()) return 0;
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof path - 1);
    return length > 0 && !strncmp(path, folder, strlen(folder));
}

/* -1 with errno set if the call is to fail; 1 if the process is to die in it; else 0. */
static int fate(int fd) {
    if (!is_meant(fd)) return 0;
    int64_t call = __atomic_add_fetch(&plan->calls, 1, __ATOMIC_SEQ_CST);
    if (plan->error) {
        errno = (int)plan->error;
        return -1;
    }
    return plan->fatal && call >= plan->fatal;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write);
    int fatal = fate(fd);
    if (fatal < 0) return -1;
    if (fatal && plan->torn) real(fd, bytes, count / 2);
    if (fatal) die();
    return real(fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
    REAL(pwrite64);
    int fatal = fate(fd);
    if (fatal < 0) return -1;
    if (fatal && plan->torn) real(fd, bytes, count / 2, at);
    if (fatal) die();
    return real(fd, bytes, count, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
    return pwrite64(fd, bytes, count, at);
}

int fsync(int fd) {
    REAL(fsync);
    int fatal = fate(fd);
    if (fatal > 0) die();
    return fatal ? -1 : real(fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    int fatal = fate(fd);
    if (fatal > 0) die();
    return fatal ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t size) {
    REAL(ftruncate64);
    int fatal = fate(fd);
    if (fatal > 0) die();
    return fatal ? -1 : real(fd, size);
}
