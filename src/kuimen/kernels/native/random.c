/* Random bytes of the operating system and wiping of memory. Nothing is kept between calls, so a fork copies nothing. */
#include "native.h"

#include "cipher.h"

#include <errno.h>
#if defined(__linux__) || defined(__APPLE__)
#include <sys/random.h>
#include <unistd.h>
#else
#error "no source of random numbers is known here; the package works without the kernels"
#endif

int kuimen_random(uint8_t *into, size_t size)
{
#if defined(__linux__)
    while (size) {
        ssize_t got = getrandom(into, size, 0);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return -1;
        }
        into += got;
        size -= (size_t)got;
    }
#else
    while (size) {
        size_t part = size < 256 ? size : 256;
        if (getentropy(into, part) != 0)
            return -1;
        into += part;
        size -= part;
    }
#endif
    return 0;
}

void kuimen_wipe(void *what, size_t size)
{
    memset(what, 0, size);
    __asm__ __volatile__("" : : "r"(what) : "memory"); /* what was written counts as read: the compiler must keep it */
}
