package io.cairn.guest.qemu.stream;

/**
 * The constants of the stream, all numbers in it big-endian (QEMU migration/savevm.h, ram.c).
 *
 * <pre>
 *   be32 "QEVM"  be32 3
 *   07  be32 length, machine type; then subsections: 05, u8 length and name, be32 version, payload
 *   01 START     be32 section, u8 length and name, be32 instance, be32 version, payload, footer
 *   02 PART, 03 END   be32 section, payload, footer
 *   04 FULL      as START
 *   08 COMMAND   be16 command, be16 length, data
 *   footer       7e, be32 section
 *   00           end of the sections; then 06, be32 length, JSON, and the end of the file
 * </pre>
 */
final class StreamFormat {
  static final int MAGIC = 0x5145564d;
  static final int VERSION = 3;

  static final int SECTION_EOF = 0x00;
  static final int SECTION_START = 0x01;
  static final int SECTION_PART = 0x02;
  static final int SECTION_END = 0x03;
  static final int SECTION_FULL = 0x04;
  static final int SUBSECTION = 0x05;
  static final int VMDESCRIPTION = 0x06;
  static final int CONFIGURATION = 0x07;
  static final int COMMAND = 0x08;
  static final int FOOTER = 0x7e;

  /** The guest was stopped; the command has no data. */
  static final int SWITCHOVER_START = 11;

  /** The section with the memory. */
  static final String RAM = "ram";

  static final int RAM_VERSION = 4;

  /** The page is filled with one byte, which follows. */
  static final int RAM_ZERO = 0x02;

  /** The address is the length of all blocks, whose table follows. */
  static final int RAM_MEM_SIZE = 0x04;

  /** The page follows. */
  static final int RAM_PAGE = 0x08;

  /** The end of this section's payload. */
  static final int RAM_EOS = 0x10;

  /** The page is in the block of the page before, whose name is left out. */
  static final int RAM_CONTINUE = 0x20;

  static final String CAPABILITIES = "configuration/capabilities";
  static final String TARGET_PAGE_BITS = "configuration/target-page-bits";
  static final String UUID = "configuration/uuid";
  static final String IGNORE_SHARED = "x-ignore-shared";
  static final String MAPPED_RAM = "mapped-ram";

  static final int DEFAULT_PAGE_BITS = 12;

  private StreamFormat() {}
}
