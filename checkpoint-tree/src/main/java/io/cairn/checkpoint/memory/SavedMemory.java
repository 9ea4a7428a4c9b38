package io.cairn.checkpoint.memory;

/**
 * What was stored of an image.
 *
 * @param digest proves the content, SHA-256 in hexadecimal
 * @param pages how many pages the image has
 * @param zeroPages how many of them hold only zeros
 * @param sharedPages how many are stored once for this image and its parent
 * @param differencePages how many are stored as a difference to the parent's
 * @param storedBytes what was written: packs and map
 */
public record SavedMemory(
    String digest,
    long pages,
    long zeroPages,
    long sharedPages,
    long differencePages,
    long storedBytes) {}
