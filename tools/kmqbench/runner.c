// SPDX-License-Identifier: GPL-2.0-only
/* kmqbench: runs one case in worker processes */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static struct report *report;
static enum pinning pin;
static unsigned int timeout;
static sigset_t watched, before;
static cpu_set_t allowed;

/* The first failure is the cause; what follows from it is not told. */
int run_failed(const char *fmt, ...)
{
	va_list ap;

	if (report->error[0])
		return -1;
	va_start(ap, fmt);
	vsnprintf(report->error, sizeof(report->error), fmt, ap);
	va_end(ap);
	return -1;
}

int runner_init(enum pinning pinning, unsigned int timeout_s)
{
	pin = pinning;
	timeout = timeout_s;
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return -1;
	sched_getaffinity(0, sizeof(allowed), &allowed);
	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGINT);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGHUP);
	return sigprocmask(SIG_BLOCK, &watched, &before);
}

/* The first CPU we may use, for the second party the next one if wanted */
static void pin_party(unsigned int who)
{
	unsigned int nth = pin == PIN_APART ? who : 0;
	cpu_set_t one;
	int cpu;

	if (pin == PIN_NONE || CPU_COUNT(&allowed) < 2)
		return;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !nth--)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static pid_t start(struct run *r, unsigned int who)
{
	pid_t parent = getpid(), pid = fork();
	int rc;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	sigprocmask(SIG_SETMASK, &before, NULL);
	signal(SIGPIPE, SIG_IGN);
	pin_party(who);
	rc = r->what->scenario->party(r, who);
	_exit(rc < 0);
}

static void stop(pid_t *pid, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (pid[i] <= 0)
			continue;
		kill(pid[i], SIGKILL);
		waitpid(pid[i], NULL, 0);
		pid[i] = 0;
	}
}

/* Number of workers still running, -1 if one failed */
static int reap(pid_t *pid, unsigned int n)
{
	unsigned int i;
	int running = 0, status;

	for (i = 0; i < n; i++) {
		if (!pid[i])
			continue;
		if (!waitpid(pid[i], &status, WNOHANG)) {
			running++;
			continue;
		}
		pid[i] = 0;
		if (WIFSIGNALED(status))
			return run_failed("a worker died: %s",
					  strsignal(WTERMSIG(status)));
		if (WEXITSTATUS(status))
			return run_failed("a worker failed");
	}
	return running;
}

static int work(struct run *r)
{
	unsigned int n = r->what->scenario->parties, i;
	uint64_t end = now_ns() + timeout * 1000000000ull;
	pid_t pid[2] = { 0, 0 };
	int sig, running;

	for (i = 0; i < n; i++) {
		pid[i] = start(r, i);
		if (pid[i] < 0) {
			run_failed("fork: %s", strerror(errno));
			stop(pid, n);
			return -1;
		}
	}
	for (;;) {
		uint64_t now = now_ns();
		struct timespec left = { 0, 0 };

		running = reap(pid, n);
		if (running <= 0)
			break;
		if (now < end) {
			left.tv_sec = (end - now) / 1000000000;
			left.tv_nsec = (end - now) % 1000000000;
		}
		sig = sigtimedwait(&watched, NULL, &left);
		if (sig < 0 && errno == EAGAIN) {
			run_failed("not done after %u seconds", timeout);
			running = -1;
			break;
		}
		if (sig > 0 && sig != SIGCHLD) {
			stop(pid, n);
			return sig;
		}
	}
	stop(pid, n);
	return running;
}

static void reset_report(void)
{
	unsigned int i;

	memset(report, 0, sizeof(*report));
	report->mem_stat = -1;
	report->mem_kernel = -1;
	report->mem_free = -1;
	for (i = 0; i < ARRAY_SIZE(report->party); i++)
		sem_init(&report->party[i], 1, 0);
}

int run_case(const struct bench_case *c, struct measured *m, char *error,
	     size_t error_len)
{
	const struct scenario *s = c->scenario;
	struct run r = { .what = c, .report = report };
	int rc;

	reset_report();
	rc = s->setup(&r);
	m->room = r.channel[0].room;
	if (!rc)
		rc = work(&r);
	s->teardown(&r);
	if (!rc && report->error[0])
		rc = -1;
	if (rc) {
		snprintf(error, error_len, "%s", report->error);
		return rc;
	}
	m->value = (double)(report->end - report->begin) / report->units;
	m->switches = (double)(report->switches[0] + report->switches[1]) /
		      report->units;
	/* Parties that run side by side use more time than passes */
	m->foreign = 0;
	if (s->parties == 1 || pin == PIN_SAME)
		m->foreign = 1 - (double)(report->cpu[0] + report->cpu[1]) /
				 (report->end - report->begin);
	if (m->foreign < 0)
		m->foreign = 0;
	m->mem_stat = report->mem_stat;
	m->mem_kernel = report->mem_kernel;
	m->mem_free = report->mem_free;
	return 0;
}
