# SPDX-License-Identifier: GPL-2.0-only
#
# objdump -dr kmq.ko | awk -f sites.awk STACKS -: every place of the module that
# allocates, and how many failed allocations STACKS (traces, with offsets) shows
# of it: "N place allocator", or "init place allocator" of what runs at loading
# only.

BEGIN {
	allocators = "^(__kmalloc(_node|_large)?|kmalloc_(trace|node_trace|large)" \
		"|kmem_cache_alloc(_lru|_node|_trace|_bulk)?|kmem_cache_create" \
		"(_usercopy)?|kv?m?realloc|kvmalloc_node|vmalloc|__?alloc_pages" \
		"|__get_free_pages|get_zeroed_page|alloc_percpu|xa_store" \
		"|__xa_store|xa_alloc|rhashtable_init|rhashtable_insert_slow" \
		"|rht_bucket_nested_insert|anon_inode_getfile" \
		"|get_unused_fd_flags|alloc_workqueue|register_pernet_subsys" \
		"|misc_register|nonseekable_open|kmemdup|memdup_user|kstrdup)$"
}

function hex(text,	i, n)
{
	n = 0
	text = tolower(text)
	for (i = 1; i <= length(text); i++)
		n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
	return n
}

# The innermost place of kmq in a stack is the first one named.
FILENAME != "-" && /<stack trace>/ { fresh = 1; next }
FILENAME != "-" && fresh && /\[kmq\]/ {
	place = $2
	sub(/\/.*/, "", place)
	hits[place]++
	fresh = 0
	next
}
FILENAME != "-" { next }

/^Disassembly of section/ {
	init = /\.init\.text/
	next
}

/^[0-9a-f]+ <.*>:$/ {
	start = hex($1)
	name = substr($2, 2, length($2) - 3)
	next
}

/R_X86_64_(PLT32|PC32)/ {
	target = $3
	sub(/-0x[0-9a-f]+$/, "", target)
	if (target !~ allocators)
		next
	sub(/:$/, "", $1)
	place = sprintf("%s+0x%x", name, hex($1) + 4 - start)
	printf "%s %s %s\n", init ? "init" : hits[place] + 0, place, target
}
