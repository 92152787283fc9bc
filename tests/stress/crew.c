// SPDX-License-Identifier: GPL-2.0-only
/* The processes of one scenario: started, bothered, brought home, counted. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"

static pid_t observer, sleeper;

const char *queue_name(unsigned int queue)
{
	static const char *const names[LEDGER_QUEUES] = {
		"stress.0", "stress.1", "stress.2", "stress.3",
		"stress.4", "stress.5", "stress.6", "stress.7",
	};

	return names[queue];
}

struct kmq_attrs queue_attrs(const struct scenario *sc)
{
	struct kmq_attrs attrs = {
		.size = sizeof(attrs),
		.mask = KMQ_A_MODE | KMQ_A_MAX_MESSAGES | KMQ_A_MAX_BYTES |
			KMQ_A_MAX_MESSAGE_SIZE | KMQ_A_OVERFLOW,
		.mode = 0666,
		.overflow = sc->overflow,
		.max_messages = sc->max_messages,
		.max_bytes = sc->max_bytes,
		.max_message_size = sc->max_len,
	};

	return attrs;
}

bool can_create(const struct crew *crew)
{
	return crew->nlives < MAX_LIVES;
}

void create_queue(struct crew *crew, unsigned int queue)
{
	struct kmq_attrs attrs = queue_attrs(crew->sc);
	struct life *life = &crew->lives[crew->nlives];

	/* kept open: its counters tell how it ended */
	life->fd = kmq_open_at(ctl(), queue_name(queue),
			       KMQ_OPEN_CREATE | KMQ_OPEN_EXCL | RECV, &attrs,
			       &life->id);
	if (life->fd < 0)
		bail("cannot create %s: %s", queue_name(queue),
		     strerror(-life->fd));
	life->queue = queue;
	if (!crew->nlives++)
		crew->first_id = life->id - 1;
}

static void open_shared(struct crew *crew)
{
	unsigned int i, q, flags = 0, both;

	for (i = 0; i < ARRAY_SIZE(crew->sc->roles); i++)
		flags |= crew->sc->roles[i].flags;
	if (!(flags & SHARED))
		return;
	for (q = 0; q < crew->sc->queues; q++)
		for (both = 0; both < 2; both++)
			crew->shared[q][both] = kmq_open_name(queue_name(q),
				SEND | RECV | (both ? KMQ_OPEN_RECORDS : 0));
}

static void close_shared(struct crew *crew)
{
	unsigned int q;

	for (q = 0; q < LEDGER_QUEUES; q++) {
		if (crew->shared[q][0] > 0)
			close(crew->shared[q][0]);
		if (crew->shared[q][1] > 0)
			close(crew->shared[q][1]);
	}
}

/* One handle for each thread, on its way in a socket when the team starts. */
static int pass_handles(struct crew *crew, const struct team *team)
{
	const struct role *role = team->role;
	unsigned int i, q;
	int pair[2], fd;

	if (!(role->flags & PASSED))
		return -1;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		bail("socketpair: %s", strerror(errno));
	for (i = 0; i < role->threads; i++) {
		q = (team->nr * role->threads + i) % crew->sc->queues;
		fd = kmq_open_name(queue_name(q), role->does |
				   (role->how == RECORDS ? KMQ_OPEN_RECORDS :
				    0));
		if (fd < 0 || pass_fd(pair[0], fd))
			bail("cannot pass a handle");
		close(fd);
	}
	close(pair[0]);
	return pair[1];
}

static void start_team(struct crew *crew, struct team *team)
{
	int sock = pass_handles(crew, team);

	fflush(stdout);
	team->doomed = false;
	team->pid = fork();
	if (team->pid < 0)
		bail("fork: %s", strerror(errno));
	if (!team->pid)
		team_main(crew, team, sock);
	team->lives++;
	if (sock >= 0)
		close(sock);
}

static void start_teams(struct crew *crew)
{
	const struct role *role = crew->sc->roles;
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(crew->sc->roles); i++, role++) {
		for (k = 0; k < role->count; k++) {
			struct team *team = &crew->teams[crew->nteams++];

			team->role = role;
			team->nr = k;
			start_team(crew, team);
		}
	}
}

/* Somebody has ended: was that as it should be? */
static void ended(struct crew *crew, pid_t pid, int status)
{
	struct ledger *l = crew->ledger;
	struct team *team = NULL;
	unsigned int i;

	for (i = 0; i < crew->nteams; i++)
		if (crew->teams[i].pid == pid)
			team = &crew->teams[i];
	if (team)
		team->pid = 0;
	if (pid == observer)
		observer = 0;
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && team &&
	    (team->doomed || crew->sc->may & MAY_STARVE)) {
		ledger_killed(l, pid);
		ledger_event(l, E_KILL);
		return;
	}
	ledger_fault(l, F_STUCK, "pid %d ended with status %#x", pid, status);
}

static void reap(struct crew *crew)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(crew, pid, status);
}

void replace_dead(struct crew *crew)
{
	unsigned int i;

	reap(crew);
	for (i = 0; i < crew->nteams; i++)
		if (!crew->teams[i].pid && !crew->ledger->stop &&
		    crew->ledger->nproducers < LEDGER_PRODUCERS - 32 &&
		    crew->ledger->nconsumers < LEDGER_CONSUMERS - 32)
			start_team(crew, &crew->teams[i]);
}

static void tell_lives(struct crew *crew)
{
	struct kmq_stat_args st;
	unsigned int i;

	for (i = 0; i < crew->nlives; i++) {
		if (kmq_stat_fd(crew->lives[i].fd, &st) || !st.handles)
			continue;
		note("  queue %u id %" PRIu64 ": state %#x ready %" PRIu64 " bytes %" PRIu64 " memory %" PRIu64 " waiting %u to send %u to receive, sent %" PRIu64 " received %" PRIu64,
		     crew->lives[i].queue, (uint64_t)st.id, st.state,
		     (uint64_t)st.ready, (uint64_t)st.bytes,
		     (uint64_t)st.memory, st.waiting_senders,
		     st.waiting_receivers, (uint64_t)st.sent,
		     (uint64_t)st.received);
	}
}

/* Wait for those who do nothing but @does, or (0) for everybody. */
static void await(struct crew *crew, unsigned int does, const char *when)
{
	uint64_t until = now_ns() + (sleeper ? 1e9 : patience(30e9));
	unsigned int i, left;

	do {
		reap(crew);
		left = !does && observer;
		for (i = 0; i < crew->nteams; i++)
			left += crew->teams[i].pid &&
				(!does || crew->teams[i].role->does == does);
		if (!left)
			return;
		nap_us(2000);
	} while (now_ns() < until);

	ledger_fault(crew->ledger, F_STUCK, "%u processes, %s", left, when);
	for (i = 0; i < crew->nteams; i++)
		if (crew->teams[i].pid &&
		    (!does || crew->teams[i].role->does == does))
			tell_stuck(crew->teams[i].pid);
	if (!does && observer)
		tell_stuck(observer);
	tell_lives(crew);
}

/* What does not come home by itself; it must at least be possible to kill. */
static void kill_rest(struct crew *crew)
{
	unsigned int i, tries = patience(2000);

	for (i = 0; i < crew->nteams; i++)
		if (crew->teams[i].pid)
			kill(crew->teams[i].pid, SIGKILL);
	if (observer)
		kill(observer, SIGKILL);
	for (i = 0; i < tries && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		nap_us(2000);
	if (i == tries)
		bail("processes that cannot be killed");
	observer = 0;
}

static bool has_receivers(const struct scenario *sc)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sc->roles); i++)
		if (sc->roles[i].count && sc->roles[i].does & RECV)
			return true;
	return false;
}

static void finish(struct crew *crew)
{
	struct ledger *l = crew->ledger;
	unsigned int q;
	int err;

	replace_dead(crew);
	continue_all(crew);
	l->stop = true;
	if (has_receivers(crew->sc))
		await(crew, SEND, "senders that should have been let go");
	l->closing = true;
	for (q = 0; q < crew->sc->queues; q++) {
		err = kmq_admin(ctl(), KMQ_ADMIN_SEAL, queue_name(q), 0, NULL);
		if (err)
			ledger_fault(l, F_ERRNO, "seal: %s", strerror(-err));
	}
	await(crew, 0, "after everything was sealed");
	kill_rest(crew);
}

/* Takes what is left, as a consumer of its own. */
static void drain(struct crew *crew, const struct life *life)
{
	struct ledger *l = crew->ledger;
	struct order *order = calloc(1, sizeof(*order));
	size_t size = 1 << 20;
	char *buf = malloc(size);
	int ret;

	do {
		struct kmq_xfer_args args = {
			.send_fd = -1,
			.recv = (uintptr_t)buf,
			.recv_len = size,
		};

		ret = kmq_xfer(life->fd, &args);
		if (ret || !args.received)
			break;
		if (log_records(l, life->queue, order,
				life->id - crew->first_id, buf,
				args.received_bytes, NULL) != (int)args.received)
			ledger_fault(l, F_CONTENT, "malformed records");
	} while (1);
	if (ret && ret != -EAGAIN && ret != -EIDRM)
		ledger_fault(l, F_ERRNO, "drain: %s", strerror(-ret));
	free(buf);
	free(order);
}

static void settle(struct crew *crew)
{
	struct ledger *l = crew->ledger;
	struct totals totals[LEDGER_QUEUES] = {};
	struct kmq_stat_args st;
	unsigned int i;
	int err;

	for (i = 0; i < crew->nlives; i++) {
		struct totals *t = &totals[crew->lives[i].queue];

		drain(crew, &crew->lives[i]);
		err = kmq_stat_fd(crew->lives[i].fd, &st);
		if (err)
			ledger_fault(l, F_ERRNO, "stat: %s", strerror(-err));
		if (st.waiting_senders || st.waiting_receivers)
			ledger_fault(l, F_COUNTERS, "waiting, though nobody is there");
		t->sent += st.sent;
		t->received += st.received;
		t->dropped += st.dropped_full + st.dropped_purged;
		t->ready += st.ready;
		close(crew->lives[i].fd);
	}
	if (opt_tamper && !strcmp(opt_tamper, "counters"))
		totals[0].sent++;
	else if (opt_tamper && strcmp(opt_tamper, "bound") &&
		 strcmp(opt_tamper, "stuck") && !ledger_tamper(l, opt_tamper))
		bail("nothing to tamper with: %s", opt_tamper);
	for (i = 0; i < crew->sc->queues; i++)
		ledger_settle(l, i, &totals[i]);
}

static bool needs_met(const struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < NR_EVENTS; i++)
		if (crew->sc->needs & 1u << i && !crew->ledger->events[i])
			return false;
	return true;
}

static void check_needs(struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < NR_EVENTS; i++)
		if (crew->sc->needs & 1u << i && !crew->ledger->events[i])
			ledger_fault(crew->ledger, F_IDLE, "event %u", i);
}

static void sleep_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

void run_scenario(const struct scenario *sc, double seconds,
		  const char *cgroup)
{
	static struct crew crew;
	uint64_t until = now_ns() + seconds * 1e9;
	struct ledger *l = ledger_new();
	unsigned int q;
	int err;

	if (!l)
		bail("mmap: %s", strerror(errno));
	memset(&crew, 0, sizeof(crew));
	crew.hash = reseed_name(sc->name);
	crew.sc = sc;
	crew.ledger = l;
	crew.cgroup = cgroup;
	l->levels = sc->levels;
	l->repeats = sc->may & MAY_REPEAT;
	l->most_messages = sc->max_messages;
	l->most_bytes = sc->max_bytes;
	if (opt_tamper && !strcmp(opt_tamper, "bound"))
		l->most_messages = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);

	for (q = 0; q < sc->queues; q++)
		create_queue(&crew, q);
	open_shared(&crew);
	start_teams(&crew);
	close_shared(&crew);
	observer = child(observer_main, &crew);
	if (opt_tamper && !strcmp(opt_tamper, "stuck")) {
		sleeper = child(sleep_for_ever, NULL);
		crew.teams[crew.nteams++] = (struct team){
			.pid = sleeper, .role = &sc->roles[0],
		};
	}

	/* a slow machine gets the time it takes for the test to mean anything */
	while (now_ns() < until ||
	       (!needs_met(&crew) && now_ns() < until + patience(10e9))) {
		nap_us(sc->chaos ? sc->chaos(&crew) : 5000);
		if (sc->chaos)
			ledger_event(l, E_CHAOS);
		reap(&crew);
	}
	finish(&crew);
	settle(&crew);
	check_needs(&crew);
	for (q = 0; q < sc->queues; q++) {
		err = kmq_delete(queue_name(q), 0);
		if (err)
			ledger_fault(l, F_ERRNO, "delete: %s", strerror(-err));
	}
	ledger_tell(l, sc->name);
	result(ledger_good(l), sc->name);
	ledger_free(l);
}

void run_scenarios(const struct scenario *sc, size_t n)
{
	unsigned int some = 0;
	double seconds;
	size_t i;

	for (i = 0; i < n; i++)
		some += selected(sc[i].name);
	seconds = some ? opt_seconds / some : 0;
	for (i = 0; i < n; i++)
		if (selected(sc[i].name))
			run_scenario(&sc[i], seconds, NULL);
}

static struct team *somebody(struct crew *crew, unsigned int flag)
{
	unsigned int i, k = random_below(crew->nteams);

	for (i = 0; i < crew->nteams; i++) {
		struct team *team = &crew->teams[(i + k) % crew->nteams];

		if (team->pid && team->role->flags & flag)
			return team;
	}
	return NULL;
}

void kill_somebody(struct crew *crew)
{
	struct team *team = somebody(crew, KILLED);

	if (!team)
		return;
	team->doomed = true;
	kill(team->pid, SIGKILL);
}

void stop_somebody(struct crew *crew)
{
	struct team *team = somebody(crew, STOPPED);

	if (!team)
		return;
	kill(team->pid, SIGSTOP);
	ledger_event(crew->ledger, E_STOP);
}

void continue_all(struct crew *crew)
{
	unsigned int i;

	for (i = 0; i < crew->nteams; i++)
		if (crew->teams[i].pid && crew->teams[i].role->flags & STOPPED)
			kill(crew->teams[i].pid, SIGCONT);
}
