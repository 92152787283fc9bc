// SPDX-License-Identifier: GPL-2.0-only
/* Child processes, and what can be said of one that does not come back. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

static unsigned int nchildren;

static void copy_file(pid_t pid, const char *tid, const char *what)
{
	char path[300], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/%s", pid, tid, what);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		note("  %s/%s %s: %s", path + 6, tid, what, line);
	}
	fclose(f);
}

void tell_stuck(pid_t pid)
{
	char path[64];
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		copy_file(pid, d->d_name, "syscall");
		copy_file(pid, d->d_name, "stack");
	}
	if (dir)
		closedir(dir);
}

pid_t child(void (*fn)(void *arg), void *arg)
{
	pid_t pid;

	nchildren++;
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reseed(nchildren);
	ctl_forget();
	fn(arg);
	fflush(stdout);
	_exit(0);
}

bool child_done(pid_t pid, const char *what)
{
	uint64_t until = now_ns() + patience(30e9);
	int status;
	pid_t got;

	while (!(got = waitpid(pid, &status, WNOHANG)) && now_ns() < until)
		nap_us(2000);
	if (!got) {
		note("%s: pid %d does not come back", what, pid);
		tell_stuck(pid);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return false;
	}
	if (got < 0 || !WIFEXITED(status) || WEXITSTATUS(status)) {
		note("%s: pid %d ended with status %#x", what, pid,
		     got < 0 ? 0 : status);
		return false;
	}
	return true;
}
