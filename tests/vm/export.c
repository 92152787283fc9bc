// SPDX-License-Identifier: GPL-2.0-only
/*
 * Starts a virtiofsd for one directory: export ro|rw SOCKET DIR VIRTIOFSD
 *
 * "ro" makes every mount read-only first, in a mount namespace of its own: the
 * guest's root must not be able to change the host, whatever it asks for.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SYS_mount_setattr
#define SYS_mount_setattr	442
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY	1
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE		0x8000
#endif

struct attr {
	uint64_t attr_set;
	uint64_t attr_clr;
	uint64_t propagation;
	uint64_t userns_fd;
};

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "export: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int listen_on(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(fd, 1))
		die(path);
	return fd;
}

/* virtiofsd cannot pivot to "/" itself: it gets a copy of the mounts. */
static void read_only_copy(const char *dir, const char *copy)
{
	struct attr ro = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mkdir(copy, 0700) || unshare(CLONE_NEWNS))
		die("mount namespace");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("/ must be a mount point (a bare chroot is none: bind it to itself first)");
	if (mount(dir, copy, NULL, MS_BIND | MS_REC, NULL))
		die("copy of the mounts");
	if (syscall(SYS_mount_setattr, AT_FDCWD, copy, AT_RECURSIVE, &ro,
		    sizeof(ro)))
		die("read-only mounts");
}

int main(int argc, char **argv)
{
	char fd_opt[32], copy[128], source[4200];
	int fd, ro;

	if (argc != 5 || (strcmp(argv[1], "ro") && strcmp(argv[1], "rw"))) {
		fprintf(stderr,
			"usage: export ro|rw SOCKET DIR VIRTIOFSD\n");
		return 2;
	}
	ro = !strcmp(argv[1], "ro");
	if (prctl(PR_SET_PDEATHSIG, SIGTERM))
		die("parent death signal");
	snprintf(copy, sizeof(copy), "%s.root", argv[2]);
	if (ro)
		read_only_copy(argv[3], copy);
	/* The socket last: it says that all went well. */
	fd = listen_on(argv[2]);
	snprintf(fd_opt, sizeof(fd_opt), "--fd=%d", fd);
	snprintf(source, sizeof(source), "source=%s", ro ? copy : argv[3]);
	execl(argv[4], argv[4], fd_opt, "-f", "-o", source,
	      "-o", ro ? "cache=always" : "cache=auto",
	      "-o", "log_level=warn", (char *)NULL);
	die(argv[4]);
}
