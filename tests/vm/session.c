// SPDX-License-Identifier: GPL-2.0-only
/* Guest side of one terminal: runs the command a port asks for. */
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "frame.h"
#include "guest.h"

#define STRINGS_MAX	1024

struct child {
	pid_t pid;
	int in;			/* our end of its stdin, -1 once closed */
	int out;
	int err;		/* -1 on a terminal */
	int tty;
};

struct request {
	struct frame_exec head;
	const char *cwd;
	char *env[STRINGS_MAX];
	char *arg[STRINGS_MAX];
};

static int request_parse(struct frame *f, struct request *r)
{
	char *p = f->data + sizeof(r->head), *end = f->data + f->len;
	int n = 0;

	if (f->type != FRAME_EXEC || f->len < sizeof(r->head) || end[-1])
		return -1;
	memcpy(&r->head, f->data, sizeof(r->head));
	if (p == end)
		return -1;
	r->cwd = p;
	for (p += strlen(p) + 1; p < end && *p; p += strlen(p) + 1)
		if (n < STRINGS_MAX - 1)
			r->env[n++] = p;
	r->env[n] = NULL;
	n = 0;
	for (p++; p < end; p += strlen(p) + 1)
		if (n < STRINGS_MAX - 1)
			r->arg[n++] = p;
	r->arg[n] = NULL;
	return n ? 0 : -1;
}

static void set_size(int fd, const struct frame_size *s)
{
	struct winsize ws = { .ws_row = s->rows, .ws_col = s->cols };

	if (s->rows && s->cols)
		ioctl(fd, TIOCSWINSZ, &ws);
}

static void __attribute__((noreturn)) child_exec(struct request *r)
{
	sigset_t none;
	char **e;
	int code;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	clearenv();
	for (e = r->env; *e; e++)
		putenv(*e);
	if (chdir(r->cwd)) {
		fprintf(stderr, "guest: cannot enter %s: %m\n", r->cwd);
		_exit(126);
	}
	execvp(r->arg[0], r->arg);
	code = errno == ENOENT ? 127 : 126;
	fprintf(stderr, "guest: cannot run %s: %m\n", r->arg[0]);
	_exit(code);
}

static int child_start_tty(struct child *c, struct request *r)
{
	int master;

	c->pid = forkpty(&master, NULL, NULL, NULL);
	if (c->pid < 0)
		return -1;
	if (!c->pid) {
		set_size(0, &r->head.size);
		child_exec(r);
	}
	fcntl(master, F_SETFD, FD_CLOEXEC);
	c->tty = 1;
	c->in = c->out = master;
	c->err = -1;
	return 0;
}

static int child_start_pipes(struct child *c, struct request *r)
{
	int in[2], out[2], err[2];

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) ||
	    pipe2(err, O_CLOEXEC))
		return -1;
	c->pid = fork();
	if (c->pid < 0)
		return -1;
	if (!c->pid) {
		setsid();
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(err[1], 2);
		child_exec(r);
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->tty = 0;
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
	return 0;
}

/* Returns 1 when something was passed on, 0 when there is nothing (left). */
static int pass(int port, int *fd, uint8_t type)
{
	static char buf[FRAME_CHUNK];
	ssize_t n;

	n = read(*fd, buf, sizeof(buf));
	if (n > 0)
		return !frame_send(port, type, buf, n);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	*fd = -1;
	return 0;
}

/* Writes to a child that does not read must not stop its output. */
struct pending {
	char *data;
	size_t len;
};

static void stdin_flush(struct child *c, struct pending *p)
{
	ssize_t n;

	if (!p->len)
		return;
	n = c->in < 0 ? -1 : write(c->in, p->data, p->len);
	if (n > 0) {
		p->data += n;
		p->len -= n;
	} else if (c->in < 0 || errno != EAGAIN) {
		p->len = 0;
	}
}

static int handle_frame(int port, struct frame *f, struct child *c,
			struct pending *p)
{
	if (frame_recv(port, f))
		return -1;
	switch (f->type) {
	case FRAME_STDIN:
		p->data = f->data;
		p->len = f->len;
		if (f->len || c->in < 0)
			break;
		if (c->tty) {
			p->data = "\4";
			p->len = 1;
		} else {
			close(c->in);
			c->in = -1;
		}
		break;
	case FRAME_SIZE:
		if (c->tty && f->len >= sizeof(struct frame_size)) {
			struct frame_size s;

			memcpy(&s, f->data, sizeof(s));
			set_size(c->in, &s);
		}
		break;
	}
	return 0;
}

static int relay(int port, int sigfd, struct frame *f, struct child *c)
{
	enum { PORT, OUT, ERR, SIG, IN, NR };
	struct pending p = { 0 };
	struct signalfd_siginfo si;
	int status = 0, gone = 0;

	while (!gone) {
		struct pollfd pfd[NR] = {
			[PORT] = { .fd = p.len ? -1 : port, .events = POLLIN },
			[OUT] = { .fd = c->out, .events = POLLIN },
			[ERR] = { .fd = c->err, .events = POLLIN },
			[SIG] = { .fd = sigfd, .events = POLLIN },
			[IN] = { .fd = p.len ? c->in : -1, .events = POLLOUT },
		};

		if (poll(pfd, NR, -1) < 0)
			continue;
		if (pfd[PORT].revents & POLLIN) {
			if (handle_frame(port, f, c, &p))
				gone = 1;
		} else if (pfd[PORT].revents) {
			gone = 1;
		}
		if (pfd[IN].revents || p.len)
			stdin_flush(c, &p);
		if (pfd[OUT].revents)
			pass(port, &c->out, FRAME_STDOUT);
		if (pfd[ERR].revents)
			pass(port, &c->err, FRAME_STDERR);
		if (pfd[SIG].revents & POLLIN &&
		    read(sigfd, &si, sizeof(si)) > 0 &&
		    waitpid(c->pid, &status, WNOHANG) == c->pid)
			break;
	}
	if (gone) {
		kill(-c->pid, SIGHUP);
		kill(-c->pid, SIGKILL);
		waitpid(c->pid, &status, 0);
		return -1;
	}
	/* What is still in the pipes was written before the end. */
	while (c->out >= 0 && pass(port, &c->out, FRAME_STDOUT))
		;
	while (c->err >= 0 && pass(port, &c->err, FRAME_STDERR))
		;
	return status;
}

static void set_nonblock(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int session_run(int port)
{
	static struct request r;
	static struct frame f;
	struct child c;
	sigset_t chld;
	unsigned char code;
	int status, sigfd;

	if (frame_recv(port, &f))
		return -1;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	sigfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	if (request_parse(&f, &r) || sigfd < 0 ||
	    (r.head.tty ? child_start_tty(&c, &r) :
			  child_start_pipes(&c, &r))) {
		static const char msg[] = "guest: cannot start the command\n";

		frame_send(port, FRAME_STDERR, msg, sizeof(msg) - 1);
		status = 126 << 8;
	} else {
		set_nonblock(c.in);
		set_nonblock(c.out);
		set_nonblock(c.err);
		status = relay(port, sigfd, &f, &c);
		if (status < 0)
			return -1;
	}
	code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
	return frame_send(port, FRAME_EXIT, &code, 1);
}
