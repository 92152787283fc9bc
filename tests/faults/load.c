// SPDX-License-Identifier: GPL-2.0-only
/*
 * load MODULE [FIRST]: loads the module again and again, the first, second, ...
 * allocation or copy failing, until none does. The module must not be loaded
 * before; it is afterwards. TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST	20000

static int nth_fd;

static void arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	while (pwrite(nth_fd, text, len, 0) != len)
		;
}

static bool disarm(void)
{
	char text[16] = "";
	bool happened = pread(nth_fd, text, sizeof(text) - 1, 0) > 0 &&
		!atoi(text);

	if (!happened)
		arm(0);
	return happened;
}

static bool is_loaded(void)
{
	return !access("/sys/module/kmq", F_OK) || !access("/dev/kmq", F_OK);
}

static int load(const char *path, unsigned int n, bool *happened)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	arm(n);
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	*happened = disarm();
	close(fd);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "kmq", O_NONBLOCK) ? -errno : 0;
}

int main(int argc, char **argv)
{
	unsigned int n, failed = 0, borne = 0, bad = 0;
	bool happened = true;
	int ret = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (argc < 2 || nth_fd < 0 || is_loaded()) {
		printf("Bail out! load: %s\n", argc < 2 ? "no module" :
		       nth_fd < 0 ? "no fault injection" : "it is loaded");
		return 2;
	}
	for (n = argc > 2 ? atoi(argv[2]) : 1; happened && n < MOST; n++) {
		ret = load(argv[1], n, &happened);
		if (!happened)
			break;
		if (ret) {
			failed++;
			if (ret != -ENOMEM && ret != -EFAULT) {
				printf("# fault %u: %s\n", n, strerror(-ret));
				bad++;
			}
		} else {
			borne++;
			ret = unload();
			if (ret) {
				printf("# fault %u: it does not unload: %s\n",
				       n, strerror(-ret));
				bad++;
				break;
			}
		}
		if (is_loaded()) {
			printf("# fault %u: it is still there\n", n);
			bad++;
			break;
		}
	}
	if (!happened && ret)
		printf("# without a fault it does not load: %s\n",
		       strerror(-ret));
	printf("# %u loads failed, %u went well despite a fault\n", failed,
	       borne);
	printf("%sok 1 - faults: loading fails cleanly at each of %u faults\n",
	       bad || ret || happened ? "not " : "", n - 1);
	printf("1..1\n");
	return bad || ret || happened;
}
