/* Does for musl before 1.2.4 what it does not know: relative relocations in their compact form
 * (DT_RELR), in which the libraries come that Node.js for musl brings along. It is preloaded into that
 * Node.js by the tests, and is no part of the package, whose own module is without such relocations.
 *
 * Constructors of what is preloaded run first. What the program copied out of its libraries before
 * (R_X86_64_COPY) was not relocated yet, and is copied again. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

enum { RELRSZ = 35, RELR = 36, PAGE = 4096 };

/* A loaded program or library. */
struct object {
    uintptr_t base;
    const ElfW(Dyn) *dynamic;
    /* What the loader made read-only once it was done. */
    uintptr_t sealed, sealed_len;
};

static struct object object_of(const struct dl_phdr_info *info) {
    struct object found = {.base = info->dlpi_addr};
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        uintptr_t start = found.base + part->p_vaddr;
        if (part->p_type == PT_DYNAMIC) found.dynamic = (const void *)start;
        if (part->p_type != PT_GNU_RELRO) continue;
        found.sealed = start & -PAGE;
        found.sealed_len = ((start + part->p_memsz) & -PAGE) - found.sealed;
    }
    return found;
}

/* An entry of the dynamic section, 0 if there is none. */
static uintptr_t entry(const struct object *object, ElfW(Sxword) tag) {
    for (const ElfW(Dyn) *at = object->dynamic; at && at->d_tag; at++)
        if (at->d_tag == tag) return at->d_un.d_val;
    return 0;
}

static void protect(const struct object *object, int how) {
    if (object->sealed_len) mprotect((void *)object->sealed, object->sealed_len, how);
}

static int relocate(struct dl_phdr_info *info, size_t size, void *data) {
    struct object object = object_of(info);
    size_t count = entry(&object, RELRSZ) / sizeof(uintptr_t);
    if (!count) return 0;
    const uintptr_t *word = (const void *)(object.base + entry(&object, RELR));
    uintptr_t *at = NULL;
    protect(&object, PROT_READ | PROT_WRITE);
    for (; count--; word++) {
        if (!(*word & 1)) {
            at = (uintptr_t *)(object.base + *word);
            *at++ += object.base;
            continue;
        }
        for (int i = 0; i < 63; i++)
            if (*word >> (i + 1) & 1) at[i] += object.base;
        at += 63;
    }
    protect(&object, PROT_READ);
    return 0;
}

/* Of the program alone, which is the first that is named. */
static int copy_again(struct dl_phdr_info *info, size_t size, void *data) {
    struct object object = object_of(info);
    const ElfW(Rela) *rela = (const void *)(object.base + entry(&object, DT_RELA));
    const ElfW(Sym) *symbols = (const void *)(object.base + entry(&object, DT_SYMTAB));
    const char *names = (const char *)(object.base + entry(&object, DT_STRTAB));
    protect(&object, PROT_READ | PROT_WRITE);
    for (size_t count = entry(&object, DT_RELASZ) / sizeof *rela; count--; rela++) {
        if (ELF64_R_TYPE(rela->r_info) != R_X86_64_COPY) continue;
        const ElfW(Sym) *symbol = &symbols[ELF64_R_SYM(rela->r_info)];
        const void *from = dlsym(RTLD_NEXT, names + symbol->st_name);
        if (from) memcpy((void *)(object.base + rela->r_offset), from, symbol->st_size);
    }
    protect(&object, PROT_READ);
    return 1;
}

__attribute__((constructor)) static void first(void) {
    dl_iterate_phdr(relocate, NULL);
    dl_iterate_phdr(copy_again, NULL);
}
