package io.cairn.guest.bhyve.nv;

/**
 * The layout of a packed nvlist.
 *
 * <pre>
 * list     0 u8 magic 'l' | 1 u8 version | 2 u8 flags | 3 u64 descriptors | 11 u64 size | 19 elements
 * element  0 u8 type | 1 u16 name size | 3 u64 data size | 11 u64 items | 19 name, zero | data
 * </pre>
 *
 * <p>Two peculiarities of the library that everybody uses are part of the format. The size in the
 * header of a nested list counts everything up to the end of the outermost list, and readers insist
 * on it. The data size of the element that holds a nested list counts its later siblings, too, but
 * not the elements that end lists; readers only take care that it is not 0 and not too large.
 */
final class NvDescriptor {
  static final int MAGIC = 0x6c;
  static final int VERSION = 0;

  static final int FLAG_IGNORE_CASE = 0x01;
  static final int FLAG_ALLOW_DUPLICATES = 0x02;
  static final int FLAG_BIG_ENDIAN = 0x80;
  static final int FLAGS_KNOWN = FLAG_IGNORE_CASE | FLAG_ALLOW_DUPLICATES | FLAG_BIG_ENDIAN;

  static final int LIST_HEADER_SIZE_BYTES = 19;
  static final int ELEMENT_HEADER_SIZE_BYTES = 19;
  static final int FLAGS_AT = 2;
  static final int DESCRIPTORS_AT = 3;
  static final int SIZE_AT = 11;

  /** Includes the zero at its end. */
  static final int NAME_SIZE_BYTES_MAX = 2048;

  /** An element without a name or data, which ends a nested list. */
  static final int END_SIZE_BYTES = ELEMENT_HEADER_SIZE_BYTES + 1;

  static final int TYPE_NULL = 1;
  static final int TYPE_BOOL = 2;
  static final int TYPE_NUMBER = 3;
  static final int TYPE_STRING = 4;
  static final int TYPE_NVLIST = 5;
  static final int TYPE_DESCRIPTOR = 6;
  static final int TYPE_BINARY = 7;
  static final int TYPE_BOOL_ARRAY = 8;
  static final int TYPE_NUMBER_ARRAY = 9;
  static final int TYPE_STRING_ARRAY = 10;
  static final int TYPE_NVLIST_ARRAY = 11;
  static final int TYPE_DESCRIPTOR_ARRAY = 12;
  static final int TYPE_NVLIST_ARRAY_NEXT = 254;
  static final int TYPE_NVLIST_UP = 255;

  private NvDescriptor() {}
}
