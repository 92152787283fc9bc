// SPDX-License-Identifier: GPL-2.0-only
/* Saying what went wrong, and the exit code that belongs to it. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"

static void say(const char *fmt, va_list ap)
{
	fputs("kmqctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void inform(const char *fmt, ...)
{
	va_list ap;

	if (opts.quiet)
		return;
	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
}

void usage_error(const char *fmt, ...)
{
	const char *noun = current && current->noun ? current->noun : NULL;
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try: kmqctl %s%s%s%s--help\n",
		noun ? noun : "", noun ? " " : "",
		current ? current->name : "", current ? " " : "");
	exit(RC_USAGE);
}

int exit_code(int err)
{
	switch (-err) {
	case ENOENT:
	case EIDRM:
		return RC_NOT_FOUND;
	case EEXIST:
	case EPROTOTYPE:
		return RC_EXISTS;
	case EAGAIN:
	case ETIMEDOUT:
		return RC_EMPTY;
	case EACCES:
	case EPERM:
		return RC_DENIED;
	case EINVAL:
		return RC_USAGE;
	default:
		return RC_ERROR;
	}
}

void finish(int rc)
{
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write to standard output: %m");
		rc = rc ? rc : RC_ERROR;
	}
	exit(rc);
}

int fail(const char *name, int err, uint64_t detail)
{
	char buf[1024];

	kmq_explain(ctl(), name, err, detail, buf, sizeof(buf));
	complain("%s", buf);
	return exit_code(err);
}

/* A domain is named by a process in it, by ip-netns(8), or by a file. */
static int domain_fd(const char *domain)
{
	char path[4096];
	int fd;

	if (strchr(domain, '/'))
		snprintf(path, sizeof(path), "%s", domain);
	else if (domain[strspn(domain, "0123456789")] == '\0')
		snprintf(path, sizeof(path), "/proc/%s/ns/net", domain);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", domain);

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain("no domain \"%s\": %s: %s; a domain is the id of a process in it, a name of ip-netns(8), or the path of a network namespace",
			 domain, path, strerror(errno));
		exit(errno == EACCES || errno == EPERM ? RC_DENIED :
		     RC_NOT_FOUND);
	}
	return fd;
}

static int control = -1;

int try_ctl(void)
{
	int ns = -1;

	if (control >= 0)
		return control;
	if (opts.domain)
		ns = domain_fd(opts.domain);
	control = kmq_ctl_open(ns);
	if (ns >= 0)
		close(ns);
	return control;
}

int ctl(void)
{
	char buf[1024];
	int fd = try_ctl();

	if (fd >= 0)
		return fd;
	kmq_explain(-1, NULL, fd, 0, buf, sizeof(buf));
	complain("%s", buf);
	/* No device is no "not found": there is nowhere to look. */
	exit(fd == -EACCES || fd == -EPERM ? RC_DENIED : RC_ERROR);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p) {
		complain("out of memory");
		exit(RC_ERROR);
	}
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (!p) {
		complain("out of memory");
		exit(RC_ERROR);
	}
	return p;
}
