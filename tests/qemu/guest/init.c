/*
 * The only program of Cairn's test guest. It keeps a counter in RAM and writes it to sector 0 of
 * each disk, past the page cache. Before each write it reads the sector again: if memory and disk
 * are not of one instant, it says MISMATCH. A RAM pattern, in which each page holds the count at
 * which it was last touched, shows whether all of memory is of one instant. See ../README.md for
 * the lines it prints.
 *
 * Kernel command line: cairn.disks=N (how many virtio disks), cairn.pattern=MIB (size of the
 * pattern), cairn.dirty=PAGES (pages touched at each tick), cairn.tick=MS.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR = 512, PAGE = 4096, DISKS_MAX = 8 };

static const char MAGIC[16] = "cairn-test-disk";

struct sector {
  char magic[16];
  uint64_t counter;
  uint64_t disk;
};

static int disks[DISKS_MAX];
static int disk_count;
static unsigned char *buffer;
static uint64_t *pattern;
static uint64_t pattern_pages;
static uint64_t boot_id;

/* The count, in a page of its own, so that it can be read from outside while the guest is paused. */
static volatile uint64_t *count;

static void say(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
  putchar('\n');
  fflush(stdout);
}

/* An init that fails must power off, not leave the test waiting. */
static void fail(const char *what, int disk) {
  say("FAILED %s disk=%d errno=%d", what, disk, errno);
  sync();
  reboot(RB_POWER_OFF);
}

static long option(const char *name, long otherwise) {
  static char line[4096];
  if (!line[0]) {
    int file = open("/proc/cmdline", O_RDONLY);
    ssize_t length = read(file, line, sizeof line - 1);
    line[length > 0 ? length : 0] = 0;
    close(file);
  }
  const char *found = strstr(line, name);
  return found ? atol(found + strlen(name)) : otherwise;
}

static void insert_modules(void) {
  static const char *const names[] = {"virtio", "virtio_ring", "virtio_pci_modern_dev",
                                      "virtio_pci_legacy_dev", "virtio_pci", "virtio_blk"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
    char path[64];
    snprintf(path, sizeof path, "/modules/%s.ko", names[i]);
    int file = open(path, O_RDONLY);
    if (file >= 0) {
      if (syscall(SYS_finit_module, file, "", 0) != 0 && errno != EEXIST) fail(names[i], -1);
      close(file);
    }
  }
}

static void open_disks(void) {
  for (int i = 0; i < disk_count; i++) {
    char path[] = "/dev/vda";
    path[7] = (char)('a' + i);
    for (int attempt = 0; (disks[i] = open(path, O_RDWR | O_DIRECT)) < 0; attempt++) {
      if (attempt > 1000) fail("open", i);
      usleep(10000);
    }
  }
}

static struct sector *read_sector(int disk) {
  if (pread(disks[disk], buffer, SECTOR, 0) != SECTOR) fail("read", disk);
  return (struct sector *)buffer;
}

static void write_sector(int disk, uint64_t counter) {
  memset(buffer, 0, SECTOR);
  struct sector *sector = (struct sector *)buffer;
  memcpy(sector->magic, MAGIC, sizeof sector->magic);
  sector->counter = counter;
  sector->disk = (uint64_t)disk;
  if (pwrite(disks[disk], buffer, SECTOR, 0) != SECTOR) fail("write", disk);
}

/* The count at which page number `page` was last touched, once `counter` ticks are done. */
static uint64_t touched_at(uint64_t page, uint64_t counter, uint64_t dirty) {
  uint64_t touches = counter * dirty;
  if (touches <= page) return 0;
  return ((touches - page - 1) / pattern_pages * pattern_pages + page) / dirty + 1;
}

static void touch(uint64_t counter, uint64_t dirty) {
  for (uint64_t i = (counter - 1) * dirty; i < counter * dirty; i++) {
    pattern[i % pattern_pages * (PAGE / 8)] = counter;
  }
}

static uint64_t filling(uint64_t page, unsigned word) {
  uint64_t x = boot_id + page * 512 + word;
  x ^= x >> 31;
  x *= 0x9e3779b97f4a7c15u;
  x ^= x >> 29;
  return x;
}

/* Compares pages of the pattern, the whole of it in sixteen calls. */
static void check(uint64_t counter, uint64_t dirty) {
  uint64_t slice = pattern_pages / 16 ? pattern_pages / 16 : 1;
  for (uint64_t i = 0; i < slice; i++) {
    uint64_t page = (counter * slice + i) % pattern_pages;
    const uint64_t *words = pattern + page * (PAGE / 8);
    uint64_t expected = touched_at(page, counter, dirty);
    if (words[0] != expected || words[1] != filling(page, 1) || words[511] != filling(page, 511)) {
      say("PATTERN page=%lu expected=%lu found=%lu", page, expected, words[0]);
    }
  }
}

/* Where a page is in the memory of the machine, see pagemap in the kernel's documentation. */
static uint64_t physical(const volatile void *address) {
  uint64_t entry = 0;
  int file = open("/proc/self/pagemap", O_RDONLY);
  off_t place = (off_t)((uintptr_t)address / PAGE * sizeof entry);
  if (pread(file, &entry, sizeof entry, place) != sizeof entry) fail("pagemap", -1);
  close(file);
  return (entry & ((1ul << 55) - 1)) * PAGE;
}

static long uptime_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void set_up(uint64_t start_counter) {
  int random = open("/dev/urandom", O_RDONLY);
  if (read(random, &boot_id, sizeof boot_id) != sizeof boot_id) fail("urandom", -1);
  close(random);
  boot_id &= 0xffffffff;
  pattern_pages = (uint64_t)option("cairn.pattern=", 16) << 8;
  if (posix_memalign((void **)&pattern, PAGE, pattern_pages * PAGE) != 0) fail("memory", -1);
  memset(pattern, 0, pattern_pages * PAGE);
  for (uint64_t page = 0; page < pattern_pages; page++) {
    for (unsigned word = 1; word < 512; word++) {
      pattern[page * 512 + word] = filling(page, word);
    }
  }
  for (int i = 0; i < disk_count; i++) write_sector(i, start_counter);
}

int main(void) {
  mkdir("/proc", 0755);
  mkdir("/dev", 0755);
  mount("proc", "/proc", "proc", 0, 0);
  mount("devtmpfs", "/dev", "devtmpfs", 0, 0);
  insert_modules();
  if (posix_memalign((void **)&buffer, PAGE, PAGE) != 0) fail("memory", -1);
  disk_count = (int)option("cairn.disks=", 1);
  open_disks();
  for (int i = 0; i < disk_count; i++) {
    struct sector *sector = read_sector(i);
    int known = memcmp(sector->magic, MAGIC, sizeof MAGIC) == 0;
    say("DISK %d found=%lu", i, known ? sector->counter : 0);
  }
  if (posix_memalign((void **)&count, PAGE, PAGE) != 0) fail("memory", -1);
  memset((void *)count, 0, PAGE);
  if (mlock((const void *)count, PAGE) != 0) fail("mlock", -1);
  uint64_t counter = 0;
  uint64_t dirty = (uint64_t)option("cairn.dirty=", 8);
  long tick_us = option("cairn.tick=", 20) * 1000;
  set_up(counter);
  say("BOOT id=%08lx pages=%lu count=%lx", boot_id, pattern_pages, physical(count));
  for (;;) {
    touch(counter + 1, dirty);
    for (int i = 0; i < disk_count; i++) {
      struct sector *sector = read_sector(i);
      if (memcmp(sector->magic, MAGIC, sizeof MAGIC) != 0 || sector->counter != counter ||
          sector->disk != (uint64_t)i) {
        say("MISMATCH disk=%d memory=%lu found=%lu", i, counter, sector->counter);
      }
      write_sector(i, counter + 1);
    }
    *count = ++counter;
    check(counter, dirty);
    say("TICK %lu id=%08lx up=%ld", counter, boot_id, uptime_ms());
    usleep((useconds_t)tick_us);
  }
}
