// SPDX-License-Identifier: GPL-2.0-only
/* Page faults that take their time, by userfaultfd. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stress.h"

#define PAGE 4096ul
#define MAX_BUFFERS 16

static struct stalling {
	char *buf;
	char *shadow;
	size_t size;
} buffers[MAX_BUFFERS];
static _Atomic unsigned int nbuffers;
static _Atomic bool for_ever;
static struct ledger *ledger;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int uffd = -1;

static void resolve(char *page)
{
	unsigned int i;

	for (i = 0; i < nbuffers; i++) {
		struct stalling *s = &buffers[i];
		struct uffdio_copy copy = { .len = PAGE };

		if (page < s->buf || page >= s->buf + s->size)
			continue;
		copy.dst = (uintptr_t)page;
		copy.src = (uintptr_t)(s->shadow + (page - s->buf));
		/* EEXIST: somebody was faster */
		if (ioctl(uffd, UFFDIO_COPY, &copy) && errno != EEXIST &&
		    errno != EAGAIN)
			bail("UFFDIO_COPY: %s", strerror(errno));
	}
}

static void *handler(void *arg)
{
	struct uffd_msg msg;

	reseed((uintptr_t)arg);
	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event != UFFD_EVENT_PAGEFAULT)
			continue;
		if (ledger)
			ledger_event(ledger, E_STALL);
		while (for_ever)
			nap_us(1000);
		nap_us(random_below(3000));
		resolve((char *)(uintptr_t)(msg.arg.pagefault.address &
					    ~(PAGE - 1)));
	}
	return NULL;
}

static bool start(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	pthread_t thread;

	if (uffd >= 0)
		return true;
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0)
		return false;
	if (ioctl(uffd, UFFDIO_API, &api) ||
	    pthread_create(&thread, NULL, handler,
			   (void *)(uintptr_t)random_below(UINT32_MAX))) {
		close(uffd);
		uffd = -1;
		return false;
	}
	pthread_detach(thread);
	return true;
}

bool can_stall(void)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

void *stalling_buffer(size_t size, void **shadow, struct ledger *l)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	const int prot = PROT_READ | PROT_WRITE;
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	struct stalling *s;
	void *ret = NULL;

	size = (size + PAGE - 1) / PAGE * PAGE;
	pthread_mutex_lock(&lock);
	ledger = l;
	if (nbuffers == MAX_BUFFERS || !start())
		goto out;
	s = &buffers[nbuffers];
	s->size = size;
	s->shadow = mmap(NULL, size, prot, flags | MAP_POPULATE, -1, 0);
	s->buf = mmap(NULL, size, prot, flags, -1, 0);
	if (s->shadow == MAP_FAILED || s->buf == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	reg.range.start = (uintptr_t)s->buf;
	reg.range.len = size;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		bail("UFFDIO_REGISTER: %s", strerror(errno));
	nbuffers++;
	*shadow = s->shadow;
	ret = s->buf;
out:
	pthread_mutex_unlock(&lock);
	return ret;
}

void stall_again(void *buf, size_t size)
{
	size = (size + PAGE - 1) / PAGE * PAGE;
	if (madvise(buf, size, MADV_DONTNEED))
		bail("MADV_DONTNEED: %s", strerror(errno));
}

void stall_for_ever(void)
{
	for_ever = true;
}
