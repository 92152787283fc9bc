// SPDX-License-Identifier: GPL-2.0-only
/* kmqctl: from words to the function that does it. */
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmqctl.h"

static const struct verb *const verbs[] = {
	&verb_create, &verb_list, &verb_describe, &verb_alter, &verb_purge,
	&verb_seal, &verb_unseal, &verb_delete, &verb_unlink,
	&verb_send, &verb_recv, &verb_who, &verb_status, &verb_limits,
	&verb_ping, &verb_reset,
};

#define QUEUE	"queue"

void main_help(FILE *out)
{
	size_t i;

	fputs("Usage: kmqctl [OPTION]... queue VERB [ARGUMENT]...\n"
	      "       kmqctl [OPTION]... VERB [ARGUMENT]...\n\n"
	      "Named message queues in the kernel, from the command line.\n\n",
	      out);
	fputs("  " QUEUE "   ", out);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i]->noun)
			fprintf(out, "%s%s", i ? ", " : "", verbs[i]->name);
	fputs("\n          (kmqctl " QUEUE " --help tells what each does)\n", out);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!verbs[i]->noun)
			fprintf(out, "  %-7s %s\n", verbs[i]->name,
				verbs[i]->summary);
	fputs("\nOptions for every verb; VERB --help tells its own:\n", out);
	print_options(NULL, out);
	fputs("\nFirst steps:  kmqctl send jobs hello --create;  kmqctl recv jobs\n"
	      "Exit codes:   0 ok, 1 error, 2 usage, 3 not found, 4 exists or differs,\n"
	      "              5 timeout or empty, 6 denied.  More: man kmqctl\n",
	      out);
}

void verb_help(const struct verb *verb, FILE *out)
{
	fprintf(out, "Usage: kmqctl %s%s%s %s\n\n%c%s.\n",
		verb->noun ? verb->noun : "", verb->noun ? " " : "",
		verb->name, verb->args, verb->summary[0] - 'a' + 'A',
		verb->summary + 1);
	if (verb->aliases)
		fprintf(out, "Also called: %s.\n", verb->aliases);
	if (verb->details)
		fprintf(out, "%s\n", verb->details);
	fputs("\nOptions:\n", out);
	print_options(verb, out);
}

static bool is_called(const struct verb *verb, const char *word)
{
	const char *a = verb->aliases;
	size_t len = strlen(word);

	if (!strcmp(verb->name, word))
		return true;
	while (a && *a) {
		size_t n = strcspn(a, " ");

		if (n == len && !strncmp(a, word, n))
			return true;
		a += n + strspn(a + n, " ");
	}
	return false;
}

static const struct verb *find_verb(const char *noun, const char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!!noun == !!verbs[i]->noun && is_called(verbs[i], word))
			return verbs[i];
	return NULL;
}

static void __attribute__((noreturn))
unknown_verb(const char *noun, const char *word)
{
	const char *names[ARRAY_SIZE(verbs) + 1];
	char near[200], all[400] = "";
	size_t i, n = 0;

	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (!!noun == !!verbs[i]->noun)
			names[n++] = verbs[i]->name;
	if (!noun)
		names[n++] = QUEUE;
	for (i = 0; i < n; i++) {
		strcat(all, i ? ", " : "");
		strcat(all, names[i]);
	}

	if (!word)
		usage_error("%s what? One of: %s",
			    noun ? noun : "kmqctl", all);
	/* A verb of the queue without its noun is the likeliest slip. */
	if (!noun && find_verb(QUEUE, word))
		usage_error("unknown verb \"%s\"; did you mean \"kmqctl queue %s\"?",
			    word, word);
	nearest(word, "", names, n, near, sizeof(near));
	usage_error("unknown verb \"%s%s%s\"%s Known: %s",
		    noun ? noun : "", noun ? " " : "", word,
		    near[0] ? near : ".", all);
}

/* "queue --help": the verbs of the noun. */
static void noun_help(void)
{
	size_t i;

	puts("Usage: kmqctl queue VERB [ARGUMENT]...\n");
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i]->noun)
			printf("  queue %-10s %s\n", verbs[i]->name,
			       verbs[i]->summary);
}

/*
 * Should a standard descriptor be closed, it must not become a queue. What
 * takes its place fails on use.
 */
static void guard_descriptors(void)
{
	int fd;

	for (fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			_exit(RC_ERROR);
}

int main(int argc, char **argv)
{
	const struct verb *verb;
	const char *noun = NULL, *word;
	int at;

	guard_descriptors();
	setlocale(LC_ALL, "");
	at = global_options(argc, argv);
	word = argv[at];
	if (!word)
		unknown_verb(NULL, NULL);

	if (!strcmp(word, "help")) {
		main_help(stdout);
		finish(RC_OK);
	}
	if (!strcmp(word, QUEUE)) {
		noun = word;
		word = argv[++at];
		if (word && (!strcmp(word, "--help") || !strcmp(word, "-h"))) {
			noun_help();
			finish(RC_OK);
		}
	}
	verb = word ? find_verb(noun, word) : NULL;
	if (!verb)
		unknown_verb(noun, word);

	current = verb;
	finish(verb->run(argc - at, argv + at));
}
