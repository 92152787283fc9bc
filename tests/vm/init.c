// SPDX-License-Identifier: GPL-2.0-only
/*
 * Init of the test guest: mounts, modules, one terminal to run the command of
 * the host and more to look around, then unloads the module and reports.
 *
 * /guest.conf, one "word argument" a line:
 *   insmod FILE [PARAMS]   a driver, in this order
 *   keep PATH              stays visible under a tmpfs
 *   export TAG PATH        a writable directory of the host
 *   module FILE [PARAMS]   the module under test
 *   stay                   do not unload it at the end
 *   probe                  power off at once
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "frame.h"
#include "guest.h"

#define PORT_MAIN	1
#define NR_PORTS	4	/* main terminal and three more */
#define MODULE_NAME_MAX	64

static int kmsg = -1;
static int module_fd = -1;
static char module_name[MODULE_NAME_MAX];
static char module_params[1024];
static int stay;

void guest_log(const char *fmt, ...)
{
	char text[512], line[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* One write is one record; a record without \n waits for more. */
	snprintf(line, sizeof(line), "<5>kmq-vm: %s\n", text);
	if (kmsg >= 0)
		(void)!write(kmsg, line, strlen(line));
}

static void __attribute__((noreturn)) power_off(void)
{
	sync();
	reboot(RB_POWER_OFF);
	/* Without ACPI: QEMU runs with -no-reboot. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void __attribute__((noreturn)) fail(const char *what)
{
	guest_log("FAILED: %s: %m", what);
	power_off();
}

static int insmod(int fd, const char *params)
{
	return syscall(SYS_finit_module, fd, params, 0);
}

static void set_module(const char *file, const char *params)
{
	const char *base = strrchr(file, '/');
	char *p;

	snprintf(module_name, sizeof(module_name), "%s",
		 base ? base + 1 : file);
	p = strstr(module_name, ".ko");
	if (p)
		*p = '\0';
	for (p = module_name; *p; p++)
		if (*p == '-')
			*p = '_';
	snprintf(module_params, sizeof(module_params), "%s", params);
	module_fd = open(file, O_RDONLY | O_CLOEXEC);
	if (module_fd < 0)
		fail(file);
}

static void conf_line(char *line)
{
	char *word = strtok(line, " \t\n");
	char *arg = strtok(NULL, " \t\n");
	char *rest = strtok(NULL, "\n");

	if (!word)
		return;
	if (!rest)
		rest = "";
	if (!strcmp(word, "stay")) {
		stay = 1;
	} else if (!strcmp(word, "probe")) {
		guest_log("probe ok");
		power_off();
	} else if (!arg) {
		errno = EINVAL;
		fail(word);
	} else if (!strcmp(word, "insmod")) {
		int fd = open(arg, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (insmod(fd, rest) && errno != EEXIST))
			fail(arg);
		close(fd);
	} else if (!strcmp(word, "keep")) {
		guest_keep(arg);
	} else if (!strcmp(word, "export")) {
		guest_export(arg, rest);
	} else if (!strcmp(word, "module")) {
		set_module(arg, rest);
	} else {
		errno = EINVAL;
		fail(word);
	}
}

static void read_conf(void)
{
	FILE *f = fopen("/guest.conf", "re");
	char line[4096];

	if (!f)
		fail("/guest.conf");
	while (fgets(line, sizeof(line), f))
		conf_line(line);
	fclose(f);
}

/* Not every kernel has it. */
static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)!write(fd, value, strlen(value));
	close(fd);
}

static void loopback_up(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		guest_log("cannot bring lo up: %m");
	if (fd >= 0)
		close(fd);
}

static int open_port(int nr)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	char path[64];
	int fd, i;

	snprintf(path, sizeof(path), "/dev/vport0p%d", nr);
	/* Ports appear some time after the driver. */
	for (i = 0; i < 5000; i++) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 || (errno != ENOENT && errno != EBUSY &&
				errno != ENXIO))
			return fd;
		nanosleep(&pause, NULL);
	}
	return -1;
}

static void wait_for_host(int port)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct pollfd p = { .fd = port, .events = POLLIN };

	/* A port without a host reads as end of file: POLLIN, but POLLHUP. */
	while (poll(&p, 1, -1) < 1 || p.revents != POLLIN)
		nanosleep(&pause, NULL);
}

static void __attribute__((noreturn)) spare_terminal(int nr)
{
	for (;;) {
		int port = open_port(nr);
		pid_t pid;

		if (port < 0)
			_exit(1);
		wait_for_host(port);
		pid = fork();
		if (!pid) {
			session_run(port);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		close(port);
	}
}

static void reap_until(pid_t pid)
{
	pid_t got;

	while ((got = wait(NULL)) != pid)
		if (got < 0 && errno == ECHILD)
			return;
}

static void report(int port, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void report(int port, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	frame_send(port, FRAME_REPORT, buf, strlen(buf));
}

static void load_module(int port)
{
	if (module_fd < 0)
		return;
	if (insmod(module_fd, module_params)) {
		report(port, "insmod failed: %s: %s", module_name,
		       strerror(errno));
		power_off();
	}
	close(module_fd);
}

/* The last references of killed processes are dropped a little later. */
static void unload_module(int port)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int i, ret = -1;

	if (!*module_name || stay)
		return;
	for (i = 0; i < 250; i++) {
		ret = syscall(SYS_delete_module, module_name, O_NONBLOCK);
		if (!ret || errno != EWOULDBLOCK)
			break;
		nanosleep(&pause, NULL);
	}
	if (ret)
		report(port, "rmmod failed: %s: %s", module_name,
		       strerror(errno));
}

static void report_taint(int port)
{
	FILE *f = fopen("/proc/sys/kernel/tainted", "re");
	unsigned long taint;

	if (!f || fscanf(f, "%lu", &taint) != 1)
		report(port, "taint unknown");
	else
		report(port, "taint %lu", taint);
	if (f)
		fclose(f);
}

static void early(void)
{
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	umask(022);
}

int main(void)
{
	pid_t pid;
	int port, nr;

	early();
	read_conf();
	if (guest_mounts())
		fail("mounts");
	sethostname("kmq", 3);
	set("/proc/sys/kernel/hung_task_timeout_secs", "30\n");
	set("/proc/sys/kernel/printk_devkmsg", "on\n");
	/* looks for races from now on only: booting would take minutes */
	set("/sys/kernel/debug/kcsan", "on\n");
	loopback_up();
	port = open_port(PORT_MAIN);
	if (port < 0)
		fail("terminal port");
	load_module(port);
	for (nr = PORT_MAIN + 1; nr <= NR_PORTS; nr++)
		if (!fork())
			spare_terminal(nr);
	guest_log("ready");
	pid = fork();
	if (!pid)
		_exit(session_run(port) ? 1 : 0);
	reap_until(pid);
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	unload_module(port);
	report_taint(port);
	report(port, "done");
	power_off();
}
