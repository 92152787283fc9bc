// SPDX-License-Identifier: GPL-2.0-only
/* A command for each message: its body on standard input, the rest in KMQ_*. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recv.h"

extern char **environ;

static void set_number(const char *name, uint64_t value)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%llu", (unsigned long long)value);
	setenv(name, buf, 1);
}

static void set_environment(const char *queue, const struct kmq_msg *msg)
{
	char buf[KMQ_KEY_MAX + 1];

	setenv("KMQ_QUEUE", queue, 1);
	set_number("KMQ_SEQ", msg->seq);
	set_number("KMQ_PRIORITY", msg->priority);
	set_number("KMQ_SIZE", msg->len);
	set_number("KMQ_PID", msg->pid);
	set_number("KMQ_UID", msg->uid);
	set_number("KMQ_GID", msg->gid);
	set_number("KMQ_DELIVERIES", msg->deliveries);
	set_number("KMQ_COOKIE", msg->cookie);
	format_iso(msg->time, buf, sizeof(buf));
	setenv("KMQ_TIME", buf, 1);

	/* The environment cannot carry a NUL, and half a key is a wrong one. */
	unsetenv("KMQ_KEY");
	if (msg->key && msg->key_len < sizeof(buf) &&
	    !memchr(msg->key, '\0', msg->key_len)) {
		memcpy(buf, msg->key, msg->key_len);
		buf[msg->key_len] = '\0';
		setenv("KMQ_KEY", buf, 1);
	}
}

/* The body as a file: no pipe to fill, no deadlock, read or left unread. */
static int body_fd(const struct kmq_msg *msg)
{
	int fd = memfd_create("kmq-message", MFD_CLOEXEC);
	size_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (at < msg->len) {
		n = write(fd, (const char *)msg->body + at, msg->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			n = -errno;
			close(fd);
			return (int)n;
		}
		at += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int spawn(const char *command, int body, pid_t *pid)
{
	char *argv[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int err;

	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, body, STDIN_FILENO);
	err = posix_spawn(pid, "/bin/sh", &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return err;
}

int exec_message(const char *command, const char *queue,
		 const struct kmq_msg *msg)
{
	unsigned long long seq = msg->seq;
	int body, err, status;
	pid_t pid;

	set_environment(queue, msg);
	body = body_fd(msg);
	err = body < 0 ? -body : spawn(command, body, &pid);
	if (body >= 0)
		close(body);
	if (err) {
		complain("cannot run \"%s\": %s; message %llu of %s is lost",
			 command, strerror(err), seq, queue);
		return RC_ERROR;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return RC_OK;
	if (WIFSIGNALED(status))
		complain("\"%s\" was killed by signal %d (%s) at message %llu of %s, which is gone",
			 command, WTERMSIG(status), strsignal(WTERMSIG(status)),
			 seq, queue);
	else
		complain("\"%s\" failed with status %d at message %llu of %s, which is gone",
			 command, WEXITSTATUS(status), seq, queue);
	return RC_ERROR;
}
