// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's file systems: the host's root read-only, tmpfs where programs
 * expect to write, the kernel's own file systems.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guest.h"

#define ROOT		"/newroot"
#define STASH		"/stash"
#define KEEP_MAX	8

static char *keep[KEEP_MAX];
static int nr_keep;
static struct {
	char *tag;
	char *path;
} rw[KEEP_MAX];
static int nr_rw;

int guest_keep(const char *path)
{
	if (nr_keep == KEEP_MAX)
		return -1;
	keep[nr_keep++] = strdup(path);
	return 0;
}

int guest_export(const char *tag, const char *path)
{
	if (nr_rw == KEEP_MAX)
		return -1;
	rw[nr_rw].tag = strdup(tag);
	rw[nr_rw++].path = strdup(path);
	return 0;
}

static int do_mount(const char *src, const char *where, const char *type,
		    unsigned long flags, const char *data)
{
	char target[4096];

	snprintf(target, sizeof(target), ROOT "%s", where);
	if (!mount(src, target, type, flags, data))
		return 0;
	guest_log("cannot mount %s on %s: %m", type ? type : src, where);
	return -1;
}

static void make_path(const char *where)
{
	char path[4096], *p;

	snprintf(path, sizeof(path), ROOT "%s", where);
	for (p = path + strlen(ROOT) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	mkdir(path, 0755);
}

static void stash_name(char *buf, size_t len, int i)
{
	snprintf(buf, len, STASH "/%d", i);
}

static int stash(void)
{
	char from[4096], to[64];
	int i;

	mkdir(STASH, 0755);
	for (i = 0; i < nr_keep; i++) {
		snprintf(from, sizeof(from), ROOT "%s", keep[i]);
		stash_name(to, sizeof(to), i);
		mkdir(to, 0755);
		if (mount(from, to, NULL, MS_BIND, NULL)) {
			guest_log("cannot keep %s: %m", keep[i]);
			return -1;
		}
	}
	return 0;
}

static int unstash(void)
{
	char from[64], to[4096];
	int i;

	for (i = 0; i < nr_keep; i++) {
		stash_name(from, sizeof(from), i);
		snprintf(to, sizeof(to), ROOT "%s", keep[i]);
		make_path(keep[i]);
		if (mount(from, to, NULL, MS_MOVE, NULL)) {
			guest_log("cannot show %s: %m", keep[i]);
			return -1;
		}
	}
	for (i = 0; i < nr_rw; i++) {
		make_path(rw[i].path);
		if (do_mount(rw[i].tag, rw[i].path, "virtiofs", 0, NULL))
			return -1;
	}
	return 0;
}

static void cgroup_controllers(void)
{
	static const char * const name[] = { "+memory", "+pids", "+cpu" };
	size_t i;
	int fd;

	fd = open("/sys/fs/cgroup/cgroup.subtree_control",
		  O_WRONLY | O_CLOEXEC);
	for (i = 0; fd >= 0 && i < sizeof(name) / sizeof(name[0]); i++)
		if (write(fd, name[i], strlen(name[i])) < 0)
			guest_log("cgroup controller %s: %m", name[i]);
	if (fd >= 0)
		close(fd);
}

/* The old root stays below, as after any initramfs. */
static int switch_root(void)
{
	if (chdir(ROOT) || mount(".", "/", NULL, MS_MOVE, NULL) ||
	    chroot(".") || chdir("/")) {
		guest_log("cannot switch root: %m");
		return -1;
	}
	return 0;
}

int guest_mounts(void)
{
	mkdir(ROOT, 0755);
	if (do_mount("host", "", "virtiofs", MS_RDONLY, NULL) || stash())
		return -1;
	if (do_mount("proc", "/proc", "proc", 0, NULL) ||
	    do_mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    do_mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) ||
	    do_mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") ||
	    do_mount("tmpfs", "/run", "tmpfs", 0, "mode=755") ||
	    do_mount("tmpfs", "/var/tmp", "tmpfs", 0, "mode=1777"))
		return -1;
	make_path("/dev/pts");
	make_path("/dev/shm");
	make_path("/dev/mqueue");
	if (do_mount("devpts", "/dev/pts", "devpts", 0,
		     "gid=5,mode=620,ptmxmode=666") ||
	    do_mount("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777") ||
	    do_mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL) ||
	    do_mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) ||
	    do_mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL) ||
	    do_mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL) ||
	    unstash() || switch_root())
		return -1;
	(void)!symlink("/proc/self/fd", "/dev/fd");
	(void)!symlink("fd/0", "/dev/stdin");
	(void)!symlink("fd/1", "/dev/stdout");
	(void)!symlink("fd/2", "/dev/stderr");
	cgroup_controllers();
	return 0;
}
