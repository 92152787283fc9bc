// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host side of one terminal of the guest: sends the command, passes bytes both
 * ways, ends with the command's exit status.
 *
 * Status of its own: 124 deadline, 254 guest gone, 255 bad use.
 */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>

#include "frame.h"

enum { ST_DEADLINE = 124, ST_GONE = 254, ST_USAGE = 255 };

#define ENV_MAX		64

static struct {
	const char *socket;
	const char *cwd;
	const char *env[ENV_MAX];
	int nr_env;
	FILE *report;
	int tty;
	int stay;		/* until the guest powers off */
	long seconds;
} opt = { .cwd = "/" };

static struct termios saved;
static int raw;
static volatile sig_atomic_t resized;

static void on_winch(int sig)
{
	(void)sig;
	resized = 1;
}

static void restore(void)
{
	if (raw)
		tcsetattr(0, TCSAFLUSH, &saved);
	raw = 0;
}

static void on_term(int sig)
{
	restore();
	_exit(128 + sig);
}

static void make_raw(void)
{
	struct termios t;

	if (!opt.tty || tcgetattr(0, &saved))
		return;
	t = saved;
	cfmakeraw(&t);
	atexit(restore);
	raw = 1;
	tcsetattr(0, TCSAFLUSH, &t);
}

static struct frame_size window(void)
{
	struct frame_size s = { 24, 80 };
	struct winsize ws;

	if ((!ioctl(0, TIOCGWINSZ, &ws) || !ioctl(1, TIOCGWINSZ, &ws)) &&
	    ws.ws_row && ws.ws_col) {
		s.rows = ws.ws_row;
		s.cols = ws.ws_col;
	}
	return s;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* QEMU makes the socket a moment after it was started. */
static int connect_to(const char *path)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, i;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		fprintf(stderr, "term: socket path too long: %s\n", path);
		exit(ST_USAGE);
	}
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	for (i = 0; fd >= 0 && i < 250; i++) {
		if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
			return fd;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "term: no guest at %s\n", path);
	exit(ST_GONE);
}

static size_t put(char *buf, size_t at, const char *s)
{
	size_t len = strlen(s) + 1;

	if (at + len > FRAME_MAX) {
		fprintf(stderr, "term: command line too long\n");
		exit(ST_USAGE);
	}
	memcpy(buf + at, s, len);
	return at + len;
}

static int send_exec(int fd, char **argv)
{
	struct frame_exec head = { .size = window(), .tty = opt.tty };
	static char buf[FRAME_MAX];
	size_t at = sizeof(head);
	int i;

	memcpy(buf, &head, sizeof(head));
	at = put(buf, at, opt.cwd);
	for (i = 0; i < opt.nr_env; i++)
		at = put(buf, at, opt.env[i]);
	at = put(buf, at, "");
	for (; *argv; argv++)
		at = put(buf, at, *argv);
	return frame_send(fd, FRAME_EXEC, buf, at);
}

static int send_stdin(int fd, int *open)
{
	static char buf[4096];
	ssize_t n = read(0, buf, sizeof(buf));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		*open = 0;
	return frame_send(fd, FRAME_STDIN, buf, n > 0 ? n : 0);
}

static void set_status(const struct frame *f, int *status)
{
	*status = (unsigned char)f->data[0];
	restore();
	if (opt.report) {
		fprintf(opt.report, "exit %d\n", *status);
		fflush(opt.report);
	}
}

/* Returns 1 at the end of the session. */
static int take_frame(int fd, int *status)
{
	static struct frame f;

	if (frame_recv(fd, &f))
		return 1;
	switch (f.type) {
	case FRAME_STDOUT:
		/* A closed pipe on our side does not end the guest's run. */
		frame_write_all(1, f.data, f.len);
		break;
	case FRAME_STDERR:
		frame_write_all(2, f.data, f.len);
		break;
	case FRAME_EXIT:
		set_status(&f, status);
		return !opt.stay;
	case FRAME_REPORT:
		if (opt.report) {
			fprintf(opt.report, "%s\n", f.data);
			fflush(opt.report);
		}
		break;
	}
	return 0;
}

static int relay(int fd)
{
	int64_t end = opt.seconds ? now_ms() + opt.seconds * 1000 : 0;
	int status = ST_GONE, in = 1;

	for (;;) {
		struct pollfd p[2] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = in && status == ST_GONE ? 0 : -1,
			  .events = POLLIN },
		};
		int64_t left = end ? end - now_ms() : -1;

		if (end && left <= 0)
			return ST_DEADLINE;
		if (resized) {
			struct frame_size s = window();

			resized = 0;
			frame_send(fd, FRAME_SIZE, &s, sizeof(s));
		}
		if (poll(p, 2, left) < 0)
			continue;
		if (p[1].revents && send_stdin(fd, &in))
			return status;
		if (p[0].revents && take_frame(fd, &status))
			return status;
	}
}

static void __attribute__((noreturn)) usage(void)
{
	fprintf(stderr,
		"usage: term -s SOCKET [-t] [-w] [-C DIR] [-e NAME=VALUE]... [-r REPORT] [-T SECONDS] -- COMMAND [ARG]...\n");
	exit(ST_USAGE);
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "+s:twC:e:r:T:")) != -1) {
		switch (c) {
		case 's':
			opt.socket = optarg;
			break;
		case 't':
			opt.tty = 1;
			break;
		case 'w':
			opt.stay = 1;
			break;
		case 'C':
			opt.cwd = optarg;
			break;
		case 'e':
			if (opt.nr_env == ENV_MAX)
				usage();
			opt.env[opt.nr_env++] = optarg;
			break;
		case 'r':
			opt.report = fopen(optarg, "we");
			if (!opt.report) {
				perror(optarg);
				exit(ST_USAGE);
			}
			break;
		case 'T':
			opt.seconds = atol(optarg);
			break;
		default:
			usage();
		}
	}
	if (!opt.socket || optind == argc)
		usage();
}

int main(int argc, char **argv)
{
	struct sigaction winch = { .sa_handler = on_winch };
	struct sigaction term = { .sa_handler = on_term };
	int fd;

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGWINCH, &winch, NULL);
	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGHUP, &term, NULL);
	fd = connect_to(opt.socket);
	if (send_exec(fd, argv + optind)) {
		fprintf(stderr, "term: guest gone\n");
		return ST_GONE;
	}
	make_raw();
	return relay(fd);
}
