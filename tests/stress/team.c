// SPDX-License-Identifier: GPL-2.0-only
/* The process of a team: what it is before its threads set to work. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

#include "worker.h"

/* Numbers of descriptors that nothing else gets. */
#define FIXED_FD	200
#define MAX_THREADS	8

static struct worker workers[MAX_THREADS];
/* Of this process: which of all in a run, whatever its pid. */
static uint64_t base;

static void on_alarm(int sig)
{
	(void)sig;
}

static void make_buffer(struct worker *w)
{
	size_t record = sizeof(struct kmq_record) + w->sc->max_len + 8;
	size_t size = (record * w->role->batch + 4095) / 4096 * 4096;
	void *shadow;

	w->buf_size = size;
	if (w->role->flags & STALLS) {
		w->buf = stalling_buffer(size, &shadow, w->l);
		if (!w->buf)
			bail("userfaultfd: %s", strerror(errno));
		w->text = shadow;
		return;
	}
	/* what lies behind it is no memory */
	w->buf = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (w->buf == MAP_FAILED || mprotect(w->buf + size, size, PROT_NONE))
		bail("mmap: %s", strerror(errno));
	w->text = w->buf;
}

static void *thread_main(void *arg)
{
	struct worker *w = arg;

	reseed(base + w->thread);
	w->order = calloc(1, sizeof(*w->order));
	make_buffer(w);
	worker_loop(w);
	return NULL;
}

/* Closes or shuts down the handles of the team's threads while they use them. */
static void *pest_main(void *arg)
{
	const struct role *role = arg;
	struct worker *w;

	reseed(base + MAX_THREADS);
	while (!workers[0].l->stop) {
		nap_us(1000 + random_below(8000));
		w = &workers[random_below(role->threads)];
		if (role->flags & CLOSED)
			close(w->fd);
		if (role->flags & SHUT)
			kmq_admin(w->fd, KMQ_ADMIN_SHUTDOWN, NULL, role->does,
				  NULL);
	}
	return NULL;
}

static void set_storm(unsigned int flags)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval it = { { 0, 700 + random_below(1500) }, { 0, 1000 } };

	if (!(flags & (BY_STORM | BY_RESTART)))
		return;
	if (flags & BY_RESTART)
		sa.sa_flags = SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &it, NULL);
}

static void enter_cgroup(const char *cgroup)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	if (!file_write(path, "0"))
		bail("%s: %s", path, strerror(errno));
}

/* The handle comes from the parent of all. */
static void inherit(struct worker *w, int sock)
{
	struct kmq_stat_args st;
	int fd;

	if (w->role->flags & SHARED)
		fd = dup(w->crew->shared[w->queue][w->role->how == RECORDS]);
	else
		fd = get_fd(sock);
	if (fd < 0 || kmq_stat_fd(fd, &st))
		bail("inherited handle: %s", strerror(errno));
	w->life = st.id - w->crew->first_id;
	worker_take_fd(w, fd);
}

void team_main(struct crew *crew, const struct team *team, int sock)
{
	const struct role *role = team->role;
	pthread_t threads[MAX_THREADS], pest;
	unsigned int i;

	base = crew->hash + ((team - crew->teams) * 4096ull + team->lives) * 16;
	reseed(base + MAX_THREADS + 1);
	ctl_forget();
	if (role->flags & IN_CGROUP)
		enter_cgroup(crew->cgroup);
	/* only root may open the device */
	ctl();
	if (role->flags & AS_USER &&
	    (setresgid(USER_UID, USER_UID, USER_UID) ||
	     setresuid(USER_UID, USER_UID, USER_UID)))
		bail("setresuid: %s", strerror(errno));
	/* a change of user forgets it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);

	for (i = 0; i < role->threads; i++) {
		struct worker *w = &workers[i];

		w->crew = crew;
		w->l = crew->ledger;
		w->sc = crew->sc;
		w->role = role;
		w->thread = i;
		w->queue = (team->nr * role->threads + i) % crew->sc->queues;
		w->fd = FIXED_FD + i;
		w->poller = -1;
		w->producer = -1;
		w->consumer = ledger_consumer(w->l, w->queue, getpid());
		if (w->consumer < 0)
			_exit(0);
		w->generation = w->l->generation[w->queue];
		w->opener_uid = 0;
		if (role->flags & (SHARED | PASSED))
			inherit(w, sock);
		else
			worker_open(w);
	}
	set_storm(role->flags);
	if (role->flags & (CLOSED | SHUT) &&
	    pthread_create(&pest, NULL, pest_main, (void *)role))
		bail("pthread_create");
	for (i = 1; i < role->threads; i++)
		if (pthread_create(&threads[i], NULL, thread_main, &workers[i]))
			bail("pthread_create");
	thread_main(&workers[0]);
	for (i = 1; i < role->threads; i++)
		pthread_join(threads[i], NULL);
	if (role->flags & (CLOSED | SHUT))
		pthread_join(pest, NULL);
	fflush(stdout);
	_exit(0);
}
